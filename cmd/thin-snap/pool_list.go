package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

func poolListCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list pools",
		UsageText: "thin-snap pool list [-Hjp] [-o COLUMNS] [-s COLUMN | -S COLUMN]",
		Description: "Shows state, size and use of every pool. What is used is known only while a pool is active.\n\n" +
			"   thin-snap pool list\n" +
			"   thin-snap pool list -Hp -o name,data_used -S data_used",
		Flags:  listFlags(),
		Action: e.action(operands{"", 0, 0}, poolList),
	}
}

func poolList(c *call) (work, error) {
	l := poolListing("thin-snap pool list")
	if err := l.read(c); err != nil {
		return nil, err
	}
	if l.askedHelp {
		return nil, l.writeHelp(c.out)
	}
	return func(ctx context.Context, sys system) error {
		pools, err := sys.Pools(ctx)
		if err != nil {
			return cannot("list", "pools", err)
		}
		return l.writeList(c.out, pools)
	}, nil
}
