package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
)

func activateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "activate",
		Usage:     "make a volume's device and print its path",
		UsageText: "thin-snap activate POOL/VOLUME",
		Description: "For programs that work on the device itself. A mount makes the device\n" +
			"without this command. The device stays until thin-snap deactivate.\n\n" +
			"   e2fsck -f \"$(thin-snap activate demo/base)\"\n" +
			"   thin-snap deactivate demo/base",
		Action: e.action(operands{"POOL/VOLUME", 1, 1}, activate),
	}
}

func activate(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		device, err := sys.Activate(ctx, v)
		if err != nil {
			return fail.Cannot("activate", v.String(), err)
		}
		_, err = fmt.Fprintln(c.out, device)
		return err
	}, nil
}
