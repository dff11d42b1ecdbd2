package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

func poolActivateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "activate",
		Usage:     "make the devices of pools",
		UsageText: "thin-snap pool activate NAME...",
		Description: "Mounting a volume does this by itself. A pool that is active already stays so.\n\n" +
			"   thin-snap pool activate demo",
		Action: e.action(operands{"NAME", 1, -1}, poolActivate),
	}
}

func poolActivate(c *call) (work, error) {
	return eachPool(c, "activate", system.ActivatePool)
}

// eachPool is a command that does one thing to each of several pools.
func eachPool(c *call, verb string, do func(system, context.Context, string) error) (work, error) {
	names, err := parsePools(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		check := func(ctx context.Context, name string) error {
			pool, err := sys.Pool(ctx, name)
			if pool.Name != "" {
				return nil // a volume's record that cannot be read is in nobody's way
			}
			return cannot(verb, "pool "+name, err)
		}
		return each(ctx, names, check, func(ctx context.Context, name string) error {
			if err := do(sys, ctx, name); err != nil {
				return cannot(verb, "pool "+name, err)
			}
			c.did(verb, verb+"d", "pool "+name)
			return nil
		})
	}, nil
}
