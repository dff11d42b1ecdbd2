package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func rollbackCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:    "rollback",
		Aliases: []string{"revert"},
		Usage:   "give a volume the content of a snapshot",
		UsageText: "thin-snap rollback [-fny] [--keep NAME | --discard] POOL/VOLUME " +
			"SNAPSHOT",
		Description: "The volume becomes a new snapshot of SNAPSHOT, which stays. SNAPSHOT is\n" +
			"its name, with or without POOL/ before it. What the volume had before is\n" +
			"kept as another volume, whose name is printed: VOLUME.old, or what --keep\n" +
			"says. --discard keeps nothing, and asks if standard input is a terminal.\n" +
			"A volume that is mounted or active is refused.\n\n" +
			"   thin-snap rollback demo/srv before-upgrade\n" +
			"   thin-snap rollback --discard demo/srv before-upgrade",
		Flags: []cli.Flag{
			valueFlag("keep", "`NAME` of the volume that keeps what is lost"),
			boolFlag("discard", "delete what is lost"),
			dryRunFlag("done"), yesFlag(), forceFlag(),
		},
		Action: e.action(operands{"POOL/VOLUME SNAPSHOT", 2, 2}, rollback),
	}
}

func rollback(c *call) (work, error) {
	v, err := choose.Volume(c.Args().Get(0))
	if err != nil {
		return nil, err
	}
	from, err := snapshotSpec(v, c.Args().Get(1))
	if err != nil {
		return nil, err
	}
	o := thin.RollbackOptions{Discard: c.Bool("discard"), Force: c.Bool("force")}
	if c.IsSet("keep") {
		kept, err := renameSpec(v, c.String("keep"))
		if err != nil {
			return nil, err
		}
		o.Keep = kept.Name
	}
	if o.Keep != "" && o.Discard {
		return nil, usage.Errorf("--keep and --discard exclude each other")
	}
	return func(ctx context.Context, sys system) error {
		if c.Bool("dry-run") {
			return c.wouldRollback(ctx, sys, v, from)
		}
		if o.Discard && !c.Bool("yes") && c.env.stdinTTY &&
			!c.confirm("delete what is in "+v.String()+" now?") {
			return fail.Cannot("roll back", v.String(), errDeclined)
		}
		kept, err := sys.Rollback(ctx, v, from.Name, o)
		if err != nil {
			return fail.Cannot("roll back", v.String(), err)
		}
		c.did("roll back", "rolled back", v.String()+" to "+from.String())
		if !o.Discard {
			_, err = fmt.Fprintln(c.out, kept)
		}
		return err
	}, nil
}

// wouldRollback says what would be done, if both volumes exist.
func (c *call) wouldRollback(ctx context.Context, sys system, v, from thin.Volume) error {
	_, err := sys.Volume(ctx, v)
	_, other := sys.Volume(ctx, from)
	if err = errors.Join(err, other); err != nil {
		return fail.Cannot("roll back", v.String(), err)
	}
	c.did("roll back", "rolled back", v.String()+" to "+from.String())
	return nil
}
