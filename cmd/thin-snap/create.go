package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func createCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "create",
		Usage: "make a volume",
		UsageText: "thin-snap create [-f] [--if-not-exists] --size SIZE [--fs FS] " +
			"[--label LABEL] POOL/VOLUME",
		Description: "The volume takes no room in the pool until it is written to. The command\n" +
			"activates the pool if need be. It fails if the pool has less free than\n" +
			"its margin, unless --force.\n\n" +
			"   thin-snap create --size 2G --fs ext4 demo/base",
		Flags: []cli.Flag{
			valueFlag("size", "`SIZE` of the volume, as 512M or 2G"),
			valueFlag("fs", "make this filesystem: `FS` is ext4, xfs, btrfs and the like"),
			valueFlag("label", "`LABEL` of the filesystem"),
			ifNotExistsFlag(), forceFlag(),
		},
		Action: e.action(operands{"POOL/VOLUME", 1, 1}, create),
	}
}

func create(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	size, err := c.size("size")
	switch {
	case err != nil:
		return nil, err
	case size == 0:
		return nil, &usage.Error{
			Message: v.String() + ": no size given", Hint: "use --size, as --size 2G",
		}
	case c.IsSet("label") && !c.IsSet("fs"):
		return nil, usage.Errorf("--label is a filesystem's: it needs --fs")
	}
	spec := thin.CreateSpec{Volume: v, Size: size,
		FS: strings.ToLower(c.String("fs")), Label: c.String("label"), Force: c.Bool("force")}
	return func(ctx context.Context, sys system) error {
		made, err := true, error(nil)
		if c.Bool("if-not-exists") {
			made, err = sys.Ensure(ctx, spec)
		} else {
			err = sys.Create(ctx, spec)
		}
		if err != nil {
			return fail.Cannot("create", v.String(), err)
		}
		c.made(made, v.String())
		return nil
	}, nil
}
