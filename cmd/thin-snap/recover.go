package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/say"
	"thinmount/lib/thin"
)

func recoverCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "recover",
		Usage:     "finish or undo what a crash interrupted",
		UsageText: "thin-snap recover [POOL...]",
		Description: "Every command that changes a pool does this first, and looks once a\n" +
			"minute for devices and files that a killed command has left besides.\n" +
			"This command does all of it now, for the pools named or for all pools.\n\n" +
			"   thin-snap recover",
		Action: e.action(operands{"POOL", 0, -1}, recoverPools),
	}
}

func recoverPools(c *call) (work, error) {
	pools, err := choose.Pools(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		names := pools
		var tidyErr error // after it, the other pools are still recovered
		if len(names) == 0 {
			if err := sys.Tidy(ctx); err != nil {
				tidyErr = fail.Cannot("recover", "pools", err)
			}
			var err error
			if names, err = sys.PoolNames(ctx); err != nil {
				return errors.Join(tidyErr, fail.Cannot("list", "pools", err))
			}
		}
		check := func(context.Context, string) error { return nil }
		err := each(ctx, names, check, func(ctx context.Context, name string) error {
			err := sys.Recover(ctx, name)
			if len(pools) == 0 && thin.IsMisplaced(err) {
				if !c.Bool("quiet") {
					say.Warn(c.env.stderr, thin.Text(err))
				}
				return nil
			}
			if err != nil {
				return fail.Cannot("recover", "pool "+name, err)
			}
			c.did("recover", "recovered", name)
			return nil
		})
		return errors.Join(tidyErr, err)
	}, nil
}
