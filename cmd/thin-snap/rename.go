package main

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func renameCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "rename",
		Aliases:   []string{"mv"},
		Usage:     "give a volume another name",
		UsageText: "thin-snap rename [-n] POOL/OLD NEW",
		Description: "NEW is the new name, with or without POOL/ before it. A volume that is\n" +
			"mounted or active is refused. Snapshots of the volume show the new name\n" +
			"as their origin. The command warns of lines in /etc/fstab that have the\n" +
			"old name.\n\n" +
			"   thin-snap rename demo/one demo/release",
		Flags:  []cli.Flag{dryRunFlag("renamed")},
		Action: e.action(operands{"POOL/OLD NEW", 2, 2}, rename),
	}
}

func rename(c *call) (work, error) {
	old, err := choose.Volume(c.Args().Get(0))
	if err != nil {
		return nil, err
	}
	renamed, err := renameSpec(old, c.Args().Get(1))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		do := func() error { return sys.Rename(ctx, old, renamed.Name) }
		if c.Bool("dry-run") {
			do = func() error { return canRename(ctx, sys, old, renamed) }
		}
		if err := do(); err != nil {
			return fail.Cannot("rename", old.String(), err)
		}
		c.did("rename", "renamed", old.String()+" to "+renamed.String())
		return nil
	}, nil
}

// canRename looks whether the one volume exists and the other does not.
func canRename(ctx context.Context, sys system, old, renamed thin.Volume) error {
	if _, err := sys.Volume(ctx, old); err != nil {
		return err
	}
	_, err := sys.Volume(ctx, renamed)
	if errors.Is(err, thin.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = &thin.Error{Object: renamed.String(), Err: thin.ErrExists}
	}
	return err
}

// renameSpec reads the new name of a volume. The pool may be left out, since it
// can only be the old one.
func renameSpec(old thin.Volume, s string) (thin.Volume, error) {
	if !strings.Contains(s, "/") {
		return thin.Volume{Pool: old.Pool, Name: s}, nil
	}
	v, err := choose.Volume(s)
	if err == nil && v.Pool != old.Pool {
		err = &usage.Error{
			Message: old.String() + " stays in pool " + old.Pool +
				": no command moves it to " + v.Pool,
			Hint: "make one in " + v.Pool + " and copy: thin-snap create --size SIZE " +
				v.String() + " && dd bs=1M conv=sparse,fsync if=$(thin-snap activate " +
				old.String() + ") of=$(thin-snap activate " + v.String() + ")",
		}
	}
	return v, err
}
