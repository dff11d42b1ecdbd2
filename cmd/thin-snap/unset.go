package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func unsetCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "unset",
		Usage:     "remove properties of a volume",
		UsageText: "thin-snap unset [-n] POOL/VOLUME KEY...",
		Description: "Removes what thin-snap set has set. A property that the volume does not\n" +
			"have is passed over.\n\n" +
			"   thin-snap unset demo/base org.example.build",
		Flags:  []cli.Flag{dryRunFlag("removed")},
		Action: e.action(operands{"POOL/VOLUME KEY", 2, -1}, unset),
	}
}

func unset(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	keys := c.Args().Slice()[1:]
	for _, key := range keys {
		if err := thin.CheckPropertyKey(key); err != nil {
			return nil, usage.Errorf("%v", err)
		}
	}
	return func(ctx context.Context, sys system) error {
		err := c.unlessDry(ctx, sys, v, func() error { return sys.UnsetProperties(ctx, v, keys) })
		if err != nil {
			return fail.Cannot("unset properties of", v.String(), err)
		}
		for _, key := range keys {
			c.did("unset", "unset", key+" of "+v.String())
		}
		return nil
	}, nil
}
