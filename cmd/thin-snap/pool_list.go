package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/columns"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/say"
	"thinmount/lib/helper"
	"thinmount/lib/thin"
)

func poolListCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Aliases:   []string{"ls"},
		Usage:     "list pools",
		UsageText: "thin-snap pool list [-Hjp] [-o COLUMNS] [-s COLUMN | -S COLUMN]",
		Description: "Shows the state, the size and the use of every pool. The use is known\n" +
			"only while a pool is active. If something is wrong with a pool, a\n" +
			"warning after the list says what, and what to do about it. The columns\n" +
			"trouble and hint say the same.\n\n" +
			"   thin-snap pool list\n" +
			"   thin-snap pool list -Hp -o name,data_used -S data_used",
		Flags:  listFlags(),
		Action: e.action(operands{"", 0, 0}, poolList),
	}
}

func poolList(c *call) (work, error) {
	l := columns.Pools("thin-snap pool list")
	if helped, err := readListing(c, l); helped || err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		pools, err := sys.Pools(ctx)
		if len(pools) > 0 || err == nil {
			if err := l.WriteList(c.out, pools); err != nil {
				return err
			}
		}
		if l.ForPeople() {
			c.tellTroubles(pools)
			if len(pools) == 0 && err == nil {
				c.note("no pools; thin-snap pool create NAME makes one")
			}
		}
		return fail.Cannot("list", "pools", err)
	}, nil
}

// tellTroubles warns of what is wrong with pools.
func (c *call) tellTroubles(pools []thin.PoolInfo) {
	for _, p := range pools {
		if p.Trouble != "" {
			say.Warn(c.env.stderr, "pool "+p.Name+": "+p.Trouble+" ("+helper.Words(p.Remedy)+")")
		}
	}
}
