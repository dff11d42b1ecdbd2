package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

var errDeclined = errors.New("not confirmed")

func deleteCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Aliases:   []string{"rm"},
		Usage:     "remove volumes and snapshots for good",
		UsageText: "thin-snap delete [-nry] [--discard | --no-discard] POOL/VOLUME...",
		Description: "VOLUME may be a pattern, in quotes, and - means names on standard input.\n" +
			"If standard input is a terminal, the command asks before it deletes a\n" +
			"volume that is not a snapshot, or what a pattern matches. The snapshots\n" +
			"of a volume remain when it is deleted, unless --recursive.\n\n" +
			"   thin-snap delete demo/one demo/two\n" +
			"   thin-snap delete -n 'demo/ci-*'\n" +
			"   thin-snap delete -r -y demo/base\n" +
			"   thin-snap list -q --filter org.example.build=42 | thin-snap delete -",
		Flags: []cli.Flag{
			boolFlag("recursive,r", "delete the snapshots of the volumes, too, and those of these"),
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
	stdin, volumes, err := choose.Patterns(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	o, err := deleteOptions(c)
	if err != nil {
		return nil, err
	}
	mayAsk := !c.Bool("yes") && !c.Bool("dry-run")
	canAsk := c.env.stdinTTY && !stdin
	if c.Bool("recursive") && mayAsk && !canAsk {
		return nil, &usage.Error{
			Message: "cannot delete with --recursive: it asks before it deletes " +
				"snapshots, and there is no terminal to ask on",
			Hint: "use -y",
		}
	}
	return func(ctx context.Context, sys system) error {
		r := choose.Request{Volumes: volumes, Recursive: c.Bool("recursive")}
		if stdin {
			if r.Literal, err = readSpecs(ctx, c); err != nil {
				return err
			}
		}
		found, unread, wrong := choose.Find(ctx, sys, r)
		if len(wrong) > 0 {
			return fail.Several(fail.Problems("delete", wrong), 0)
		}
		d := &deletion{c: c, sys: sys, o: o, chosen: found, errs: fail.Problems("list", unread)}
		if mayAsk && canAsk {
			d.confirm()
		}
		for _, volumes := range found.Generations {
			if err := d.do(ctx, volumes); err != nil {
				return fail.Several(append(d.errs, err), d.done)
			}
		}
		return fail.Several(d.errs, d.done)
	}, nil
}

// deletion is a delete of volumes that have been found.
type deletion struct {
	c      *call
	sys    system
	o      thin.DeleteOptions
	chosen *choose.Chosen
	errs   []error
	done   int
}

func (d *deletion) fail(v thin.Volume, err error) {
	d.chosen.Left[v] = true
	d.errs = append(d.errs, fail.Cannot("delete", v.String(), err))
}

func (d *deletion) success(v thin.Volume) {
	d.done++
	d.c.did("delete", "deleted", v.String())
}

// do deletes volumes of which none was made from another one. It leaves a
// volume of which a chosen snapshot is left: to a user who calls the command
// once more, that volume still shows it.
func (d *deletion) do(ctx context.Context, volumes []thin.Volume) error {
	var now []thin.Volume
	for _, v := range volumes {
		child, ok := d.chosen.LeftChild(v)
		switch {
		case ok:
			d.fail(v, thin.Errorf(thin.ErrBusy, "its snapshot %s is left", child))
		case d.chosen.Left[v]:
		case d.c.Bool("dry-run"):
			d.success(v)
		default:
			now = append(now, v)
		}
	}
	return d.sys.DeleteAll(ctx, now, d.o, func(v thin.Volume, err error) {
		if err == nil || errors.Is(err, thin.ErrNotFound) && !d.chosen.Named[v] {
			d.success(v) // or another command was faster
		} else {
			d.fail(v, err)
		}
	})
}

// confirm asks before volumes are deleted: once for all that a pattern or
// --recursive has found, otherwise for each volume that is no snapshot.
func (d *deletion) confirm() {
	all := d.chosen.All()
	if len(d.chosen.Named) < len(all) {
		what := thin.Count(len(all), "volume")
		if !d.c.confirm("delete " + what + " and all that is in there: " +
			choose.SomeOf(all) + "?") {
			d.errs = append(d.errs, fail.Cannot("delete", what, errDeclined))
			d.chosen.Generations = nil
		}
		return
	}
	for _, v := range all {
		if !d.chosen.Snapshots[v] && !d.c.confirm("delete "+v.String()+" and all that is in it?") {
			d.fail(v, errDeclined)
		}
	}
}

// readSpecs reads names of volumes from standard input.
func readSpecs(ctx context.Context, c *call) ([]thin.Volume, error) {
	lines, err := choose.Lines(ctx, c.env.stdin)
	if err != nil {
		return nil, fail.Cannot("read", "standard input", err)
	}
	return choose.Volumes(lines)
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
