package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/lib/thin"
)

func poolGrowCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "grow",
		Usage:     "make a pool larger",
		UsageText: "thin-snap pool grow [--size SIZE] [--metadata-size SIZE] NAME",
		Description: "The volumes may be in use, and writes that wait for room go on. A pool\n" +
			"in files needs a size. A pool on devices takes what its devices have\n" +
			"grown by. SIZE is the new size; +SIZE is added to the present one. A\n" +
			"pool does not shrink.\n\n" +
			"   thin-snap pool grow --size +20G demo\n" +
			"   thin-snap pool grow fast",
		Flags: []cli.Flag{
			valueFlag("size", "`SIZE` for data, or +SIZE more of it"),
			valueFlag("metadata-size", "`SIZE` for metadata, or +SIZE more of it"),
		},
		Action: e.action(operands{"NAME", 1, 1}, poolGrow),
	}
}

func poolGrow(c *call) (work, error) {
	name, err := choose.Pool(c.Args().First())
	if err != nil {
		return nil, err
	}
	spec := thin.GrowSpec{Pool: name}
	if spec.Data, err = c.growth("size"); err != nil {
		return nil, err
	}
	if spec.Metadata, err = c.growth("metadata-size"); err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		if err := sys.GrowPool(ctx, spec); err != nil {
			return fail.Cannot("grow", "pool "+name, err)
		}
		c.did("grow", "grew", "pool "+name)
		return nil
	}, nil
}

// growth reads a flag: the size to grow to, or with + the size to grow by.
func (c *call) growth(flag string) (thin.Growth, error) {
	if !c.IsSet(flag) {
		return thin.Growth{}, nil
	}
	size, more := strings.CutPrefix(c.String(flag), "+")
	n, err := flagSize(flag, size)
	return thin.Growth{Size: n, More: more}, err
}
