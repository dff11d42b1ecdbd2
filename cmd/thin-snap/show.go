package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/columns"
	"thinmount/cmd/thin-snap/internal/fail"
)

func showCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show all about one volume",
		UsageText: "thin-snap show [-Hjp] [-o COLUMNS] POOL/VOLUME",
		Description: "Shows each property on a line of its own.\n\n" +
			"   thin-snap show demo/base\n" +
			"   thin-snap show -H -o device demo/base",
		Flags:  showFlags(),
		Action: e.action(operands{"POOL/VOLUME", 1, 1}, show),
	}
}

func show(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	l := columns.Volumes("thin-snap show").Wide()
	if helped, err := readListing(c, l); helped || err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		volume, err := sys.Volume(ctx, v)
		if err != nil {
			return fail.Cannot("show", v.String(), err)
		}
		return l.WriteShow(c.out, volume)
	}, nil
}
