package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
)

func deactivateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "deactivate",
		Usage:     "remove a volume's device",
		UsageText: "thin-snap deactivate POOL/VOLUME",
		Description: "Undoes thin-snap activate. A volume that is mounted is refused.\n\n" +
			"   thin-snap deactivate demo/base",
		Action: e.action(operands{"POOL/VOLUME", 1, 1}, deactivate),
	}
}

func deactivate(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		if err := sys.Deactivate(ctx, v); err != nil {
			return fail.Cannot("deactivate", v.String(), err)
		}
		c.did("deactivate", "deactivated", v.String())
		return nil
	}, nil
}
