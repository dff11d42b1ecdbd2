package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

func poolShowCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show all about one pool",
		UsageText: "thin-snap pool show [-Hjp] [-o COLUMNS] NAME",
		Description: "Shows one property a line.\n\n" +
			"   thin-snap pool show demo\n" +
			"   thin-snap pool show --json demo",
		Flags:  showFlags(),
		Action: e.action(operands{"NAME", 1, 1}, poolShow),
	}
}

func poolShow(c *call) (work, error) {
	name, err := parsePool(c.Args().First())
	if err != nil {
		return nil, err
	}
	l := poolListing("thin-snap pool show").wide()
	if err := l.read(c); err != nil {
		return nil, err
	}
	if l.askedHelp {
		return nil, l.writeHelp(c.out)
	}
	return func(ctx context.Context, sys system) error {
		pool, err := sys.Pool(ctx, name)
		if pool.Name != "" {
			if err := l.writeShow(c.out, pool); err != nil {
				return err
			}
		}
		return cannot("show", "pool "+name, err)
	}, nil
}
