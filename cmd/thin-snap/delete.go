package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

var errDeclined = errors.New("not confirmed")

func deleteCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Aliases:   []string{"rm"},
		Usage:     "remove volumes and snapshots for good",
		UsageText: "thin-snap delete [-ny] [--discard | --no-discard] POOL/VOLUME...",
		Description: "If standard input is a terminal, the command asks before it deletes a\n" +
			"volume that is not a snapshot. The snapshots of a volume remain when it\n" +
			"is deleted.\n\n" +
			"   thin-snap delete demo/one demo/two",
		Flags: []cli.Flag{
			boolFlag("discard",
				"discard the freed blocks under the pool, too: the default in a pool in files"),
			boolFlag("no-discard",
				"free the blocks in the pool alone: the default in a pool on devices"),
			dryRunFlag("deleted"), yesFlag(),
		},
		Action: e.action(operands{"POOL/VOLUME", 1, -1}, deleteVolumes),
	}
}

func deleteVolumes(c *call) (work, error) {
	specs, err := parseSpecs(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	o, err := deleteOptions(c)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		snapshots := map[thin.Volume]bool{}
		check := func(ctx context.Context, v thin.Volume) error {
			origin, err := sys.Origin(ctx, v)
			snapshots[v] = origin != nil
			return cannot("delete", v.String(), err)
		}
		return each(ctx, specs, check, func(ctx context.Context, v thin.Volume) error {
			return deleteOne(ctx, c, sys, v, snapshots[v], o)
		})
	}, nil
}

func deleteOne(
	ctx context.Context, c *call, sys system, v thin.Volume, isSnapshot bool, o thin.DeleteOptions,
) error {
	if !c.Bool("dry-run") {
		ask := !isSnapshot && !c.Bool("yes") && c.env.stdinTTY
		if ask && !c.confirm("delete "+v.String()+" and all that is in it?") {
			return cannot("delete", v.String(), errDeclined)
		}
		if err := sys.Delete(ctx, v, o); err != nil {
			return cannot("delete", v.String(), err)
		}
	}
	c.did("delete", "deleted", v.String())
	return nil
}

func deleteOptions(c *call) (thin.DeleteOptions, error) {
	yes, no := c.Bool("discard"), c.Bool("no-discard")
	switch {
	case yes && no:
		return thin.DeleteOptions{}, usage.Errorf("--discard and --no-discard exclude each other")
	case yes || no:
		return thin.DeleteOptions{Discard: &yes}, nil
	}
	return thin.DeleteOptions{}, nil
}
