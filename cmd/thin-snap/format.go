package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
)

func formatCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "format",
		Usage:     "make a filesystem on a volume",
		UsageText: "thin-snap format [-f] --fs FS [--label LABEL] POOL/VOLUME",
		Description: "A volume that carries a filesystem or another signature is refused\n" +
			"unless --force.\n\n" +
			"   thin-snap format --fs xfs demo/base",
		Flags: []cli.Flag{
			valueFlag("fs", "filesystem to make: `FS` is ext4, xfs, btrfs and the like"),
			valueFlag("label", "`LABEL` of the filesystem"),
			boolFlag("force,f", "overwrite what is on the volume"),
		},
		Action: e.action(operands{"POOL/VOLUME", 1, 1}, format),
	}
}

func format(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	fs := strings.ToLower(c.String("fs"))
	if fs == "" {
		return nil, &usage.Error{
			Message: v.String() + ": no filesystem given", Hint: "use --fs, as --fs ext4",
		}
	}
	return func(ctx context.Context, sys system) error {
		err := sys.Format(ctx, v, fs, c.String("label"), c.Bool("force"))
		if err != nil {
			return fail.Cannot("format", v.String(), err)
		}
		c.did("format", "formatted", v.String())
		return nil
	}, nil
}
