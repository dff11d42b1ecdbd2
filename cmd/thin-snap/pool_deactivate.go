package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func poolDeactivateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "deactivate",
		Usage:     "remove the devices of pools",
		UsageText: "thin-snap pool deactivate [-u] -a | NAME...",
		Description: "A pool that has an active volume is refused. --unmount unmounts the\n" +
			"volumes first, whatever references they have. A pool that is inactive\n" +
			"already stays inactive.\n\n" +
			"   thin-snap pool deactivate demo\n" +
			"   thin-snap pool deactivate --all --unmount",
		Flags: []cli.Flag{
			boolFlag("all,a", "deactivate all pools"),
			boolFlag("unmount,u", "unmount the pools' volumes first"),
		},
		Action: e.action(operands{"NAME", 0, -1}, poolDeactivate),
	}
}

func poolDeactivate(c *call) (work, error) {
	o := thin.DeactivateOptions{Unmount: c.Bool("unmount")}
	do := func(sys system, ctx context.Context, name string) error {
		return sys.DeactivatePool(ctx, name, o)
	}
	switch named := c.Args().Present(); {
	case c.Bool("all") && named:
		return nil, usage.Errorf("--all takes no NAME")
	case named:
		return eachPool(c, "deactivate", do)
	case !c.Bool("all"):
		return nil, usage.Errorf("missing operand NAME, or --all")
	}
	return func(ctx context.Context, sys system) error {
		tidyErr := sys.Tidy(ctx)         // on an error, the other pools are still deactivated
		infos, listErr := sys.Pools(ctx) // the same: infos has the pools that can be read
		var names []string
		for _, i := range infos {
			names = append(names, i.Name)
		}
		check := func(context.Context, string) error { return nil }
		err := each(ctx, names, check, func(ctx context.Context, name string) error {
			if err := do(sys, ctx, name); err != nil {
				return fail.Cannot("deactivate", "pool "+name, err)
			}
			c.did("deactivate", "deactivated", "pool "+name)
			return nil
		})
		if tidyErr != nil {
			err = errors.Join(err, fail.Cannot("deactivate", "pools", tidyErr))
		}
		if listErr != nil {
			err = errors.Join(err, fail.Cannot("list", "pools", listErr))
		}
		return err
	}, nil
}
