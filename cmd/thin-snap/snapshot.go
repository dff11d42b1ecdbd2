package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func snapshotCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:    "snapshot",
		Aliases: []string{"snap", "clone"},
		Usage:   "make a snapshot of a volume",
		UsageText: "thin-snap snapshot [-f] [--if-not-exists] [--read-only] " +
			"[--size SIZE] [--grow-fs] POOL/ORIGIN NEW",
		Description: "The origin may be mounted: its filesystem is frozen while the snapshot\n" +
			"is made. A snapshot is a volume of its own, in the origin's pool, and\n" +
			"remains when the origin is deleted. NEW is its name, with or without\n" +
			"POOL/ before it. The command fails if the pool has less free than its\n" +
			"margin, unless --force.\n\n" +
			"   thin-snap snapshot demo/base demo/one\n" +
			"   thin-snap snapshot --read-only demo/base demo/monday\n" +
			"   thin-snap snapshot --size 4G --grow-fs demo/base demo/large",
		Flags: []cli.Flag{
			valueFlag("size", "`SIZE` of the snapshot, larger than the origin"),
			boolFlag("grow-fs", "make its filesystem as large as SIZE, too"),
			boolFlag("read-only", "let nobody write to the snapshot"),
			ifNotExistsFlag(), forceFlag(),
		},
		Action: e.action(operands{"POOL/ORIGIN NEW", 2, 2}, snapshot),
	}
}

func snapshot(c *call) (work, error) {
	origin, err := choose.Volume(c.Args().Get(0))
	if err != nil {
		return nil, err
	}
	created, err := snapshotSpec(origin, c.Args().Get(1))
	if err != nil {
		return nil, err
	}
	size, err := c.size("size")
	if err != nil {
		return nil, err
	}
	if c.Bool("grow-fs") && size == 0 {
		return nil, &usage.Error{Message: "--grow-fs without --size",
			Hint: "say how large the snapshot is to be, as --size 4G"}
	}
	return func(ctx context.Context, sys system) error {
		o := thin.SnapshotOptions{Size: size, GrowFS: c.Bool("grow-fs"),
			ReadOnly: c.Bool("read-only"), Force: c.Bool("force")}
		made, err := true, error(nil)
		if c.Bool("if-not-exists") {
			made, err = sys.EnsureSnapshot(ctx, origin, created.Name, o)
		} else {
			err = sys.Snapshot(ctx, origin, created.Name, o)
		}
		if err != nil {
			return fail.Cannot("snapshot", origin.String(), err)
		}
		c.made(made, created.String())
		return nil
	}, nil
}

// snapshotSpec reads the name of a snapshot. The pool may be left out, since it
// can only be the origin's.
func snapshotSpec(origin thin.Volume, s string) (thin.Volume, error) {
	if !strings.Contains(s, "/") {
		return thin.Volume{Pool: origin.Pool, Name: s}, nil
	}
	v, err := choose.Volume(s)
	if err == nil && v.Pool != origin.Pool {
		err = usage.Errorf("a snapshot of %s lies in pool %s, not in %s",
			origin, origin.Pool, v.Pool)
	}
	return v, err
}
