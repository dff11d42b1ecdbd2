package main

import (
	"context"
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/signals"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func runCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "run a program in a volume",
		UsageText: "thin-snap run [--chroot] [-o OPTIONS] POOL/VOLUME -- PROGRAM [ARG...]\n" +
			"thin-snap run [-f] --snapshot-of POOL/ORIGIN [--name NEW] [--key KEY] [--replace] " +
			"[--ephemeral | --keep-failed] [--chroot] [-o OPTIONS] -- PROGRAM [ARG...]",
		Description: "Mounts the volume where only the program sees it, and runs the program\n" +
			"there. When the program ends, what it has started is killed, and the\n" +
			"volume is unmounted. The exit status is that of the program.\n\n" +
			"With --snapshot-of, the program runs in a new snapshot, which is kept if\n" +
			"the program succeeds, and deleted if not. Nobody else can use it before.\n\n" +
			"   thin-snap run --snapshot-of demo/base --ephemeral -- make check",
		Flags: []cli.Flag{
			valueFlag("snapshot-of", "make a snapshot of `POOL/ORIGIN`, and run the program in it"),
			valueFlag("name", "`NEW` is the snapshot's name; otherwise one is made up"),
			valueFlag("key", "do nothing if the snapshot exists and has this `KEY`"),
			boolFlag("replace", "delete the snapshot first if it has another key or origin"),
			boolFlag("ephemeral", "delete the snapshot in any case"),
			boolFlag("keep-failed", "keep the snapshot even if the program fails"),
			boolFlag("chroot", "make the volume the program's root folder"),
			valueFlag("options,o", "mount `OPTIONS`, as of mount(8)"),
			forceFlag(),
		},
		Action: ownFailures(e.action(operands{"POOL/VOLUME -- PROGRAM", 0, 1}, runProgram)),
	}
}

// ownFailures gives all failures of thin-snap itself, before a program runs,
// the status that tells them from the program's.
func ownFailures(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		err := action(c)
		if err == nil || errors.As(err, new(*fail.ProgramError)) ||
			fail.Code(err) == fail.ExitUsage || signals.Of(c.Context) != nil {
			return err
		}
		return &fail.ProgramError{Status: fail.ExitRun, Err: err}
	}
}

func runProgram(c *call) (work, error) {
	args := c.Args().Slice()
	end := slices.Index(args, "--")
	r := thin.RunRequest{
		Key: c.String("key"), Replace: c.Bool("replace"),
		Ephemeral: c.Bool("ephemeral"), KeepFailed: c.Bool("keep-failed"),
		Force: c.Bool("force"), Options: c.String("options"), Chroot: c.Bool("chroot"),
		Args: args[end+1:],
	}
	if err := runVolume(c, args[:end], &r); err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		res, err := sys.Run(ctx, r)
		object := res.Volume.String()
		if res.Volume.Name == "" { // it has no name yet
			object = r.Origin.String()
		}
		if err == nil && !res.Ran {
			c.did("keep", "kept", object)
			return nil
		}
		if res.Kept {
			c.did("create", "created", object)
		}
		switch {
		case err == nil && res.Status == 0:
			return nil
		case err == nil:
			return &fail.ProgramError{Status: res.Status}
		case signals.Of(ctx) != nil && !res.Ran && res.Status == 0:
			return fail.Cannot("run in", object, err)
		case res.Status != 0 && !res.Ran: // the program could not be started
			return &fail.ProgramError{Status: res.Status, Err: fail.Cannot("run", "", err)}
		}
		return &fail.ProgramError{Status: fail.ExitRun, Err: fail.Cannot("run in", object, err)}
	}, nil
}

// runVolume reads in which volume the program runs.
func runVolume(c *call, operands []string, r *thin.RunRequest) (err error) {
	if !c.IsSet("snapshot-of") {
		for _, flag := range []string{
			"name", "key", "replace", "ephemeral", "keep-failed", "force",
		} {
			if c.IsSet(flag) {
				return &usage.Error{Message: "--" + flag + " is for a new snapshot",
					Hint: "add --snapshot-of POOL/ORIGIN"}
			}
		}
		if len(operands) == 0 {
			return usage.Errorf("missing operand POOL/VOLUME")
		}
		r.Volume, err = choose.Volume(operands[0])
		return err
	}
	if len(operands) > 0 {
		return &usage.Error{Message: "unexpected operand " + operands[0],
			Hint: "--name is the name of the new snapshot"}
	}
	if r.Replace && r.Key == "" {
		return usage.Errorf("--replace needs --key")
	}
	if r.Ephemeral && (r.KeepFailed || r.Key != "") {
		return usage.Errorf("--ephemeral excludes --keep-failed and --key")
	}
	origin, err := choose.Volume(c.String("snapshot-of"))
	if err != nil {
		return err
	}
	r.Origin = &origin
	r.Volume = thin.Volume{Pool: origin.Pool}
	if c.IsSet("name") {
		r.Volume, err = snapshotSpec(origin, c.String("name"))
	}
	return err
}
