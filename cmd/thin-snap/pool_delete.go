package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/say"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func poolDeleteCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Aliases:   []string{"rm"},
		Usage:     "remove a pool for good",
		UsageText: "thin-snap pool delete [-nry] NAME",
		Description: "A pool that has volumes is refused. --recursive deletes the volumes,\n" +
			"too, after a question. If standard input is not a terminal, it needs\n" +
			"--yes.\n\n" +
			"   thin-snap pool delete demo\n" +
			"   thin-snap pool delete -r -y demo",
		Flags: []cli.Flag{
			boolFlag("recursive,r", "delete the volumes in it, too"),
			dryRunFlag("deleted"), yesFlag(),
		},
		Action: e.action(operands{"NAME", 1, 1}, poolDelete),
	}
}

func poolDelete(c *call) (work, error) {
	name, err := choose.Pool(c.Args().First())
	if err != nil {
		return nil, err
	}
	recursive := c.Bool("recursive")
	mustAsk := recursive && !c.Bool("yes") && !c.Bool("dry-run")
	if mustAsk && !c.env.stdinTTY {
		return nil, &usage.Error{
			Message: "cannot delete pool " + name + ": it asks before it deletes volumes, " +
				"and there is no terminal to ask on",
			Hint: "use -y",
		}
	}
	return func(ctx context.Context, sys system) error {
		pool, err := sys.Pool(ctx, name)
		isCopy := errors.Is(err, thin.ErrCopy) // only the copied folder is deleted
		if pool.Name == "" && !isCopy {
			return fail.Cannot("delete", "pool "+name, err)
		}
		volumes := thin.Count(pool.Volumes, "volume")
		question := fmt.Sprintf("delete pool %s and %s in it?", name, volumes)
		if err != nil {
			question = fmt.Sprintf("%s: delete pool %s and %s in it, and what cannot be read?",
				thin.Text(err), name, volumes)
		}
		if isCopy {
			question = fmt.Sprintf("%s: delete it, with the volumes in it?", thin.Text(err))
		}
		if mustAsk && !c.confirm(question) {
			return fail.Cannot("delete", "pool "+name, errDeclined)
		}
		if c.Bool("dry-run") && !isCopy {
			return poolDeleteDry(ctx, c, sys, name)
		}
		if !c.Bool("dry-run") {
			if err := sys.DeletePool(ctx, name, recursive); err != nil {
				return fail.Cannot("delete", "pool "+name, err)
			}
		}
		c.did("delete", "deleted", "pool "+name)
		return nil
	}, nil
}

func poolDeleteDry(ctx context.Context, c *call, sys system, name string) error {
	volumes, err := sys.Volumes(ctx, name)
	if err != nil && !c.Bool("recursive") {
		return fail.Cannot("delete", "pool "+name, err)
	}
	slices.SortFunc(volumes, func(a, b thin.VolumeInfo) int {
		return strings.Compare(a.Volume.Name, b.Volume.Name)
	})
	if err != nil && !c.Bool("quiet") {
		say.Warn(c.env.stderr, err.Error())
	}
	if len(volumes) > 0 && !c.Bool("recursive") {
		var names []string
		for _, v := range volumes {
			names = append(names, v.Volume.Name)
		}
		return fail.Cannot("delete", "pool "+name, thin.HasVolumes(name, names))
	}
	for _, v := range volumes {
		c.did("delete", "deleted", v.Volume.String())
	}
	c.did("delete", "deleted", "pool "+name)
	return nil
}
