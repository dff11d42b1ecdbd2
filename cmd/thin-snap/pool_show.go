package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/columns"
	"thinmount/cmd/thin-snap/internal/fail"
)

func poolShowCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show all about one pool",
		UsageText: "thin-snap pool show [-Hjp] [-o COLUMNS] NAME",
		Description: "Shows each property on a line of its own.\n\n" +
			"   thin-snap pool show demo\n" +
			"   thin-snap pool show --json demo",
		Flags:  showFlags(),
		Action: e.action(operands{"NAME", 1, 1}, poolShow),
	}
}

func poolShow(c *call) (work, error) {
	name, err := choose.Pool(c.Args().First())
	if err != nil {
		return nil, err
	}
	l := columns.Pools("thin-snap pool show").Wide()
	if helped, err := readListing(c, l); helped || err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		pool, err := sys.Pool(ctx, name)
		if pool.Name != "" {
			if err := l.WriteShow(c.out, pool); err != nil {
				return err
			}
		}
		return fail.Cannot("show", "pool "+name, err)
	}, nil
}
