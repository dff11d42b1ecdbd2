package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/amount"
	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/lib/thin"
)

func trimCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "trim",
		Usage:     "give unused blocks of filesystems back to their pool",
		UsageText: "thin-snap trim [-n] POOL/VOLUME...",
		Description: "What a filesystem has freed stays in the pool's use until it is\n" +
			"discarded. Mounts discard by themselves, where the filesystem can; this\n" +
			"command helps after a mount with nodiscard, or a copied image. A volume\n" +
			"may be mounted or not. VOLUME may be a pattern, in quotes, and - means\n" +
			"names on standard input.\n\n" +
			"   thin-snap trim -v demo/base\n" +
			"   thin-snap trim 'demo/*'",
		Flags:  []cli.Flag{dryRunFlag("trimmed")},
		Action: e.action(operands{"POOL/VOLUME", 1, -1}, trim),
	}
}

func trim(c *call) (work, error) {
	stdin, volumes, err := choose.Patterns(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		r := choose.Request{Volumes: volumes}
		if stdin {
			if r.Literal, err = readSpecs(ctx, c); err != nil {
				return err
			}
		}
		found, unread, wrong := choose.Find(ctx, sys, r)
		if len(wrong) > 0 {
			return fail.Several(fail.Problems("trim", wrong), 0)
		}
		check := func(context.Context, thin.Volume) error { return nil }
		done := 0
		err := each(ctx, found.All(), check, func(ctx context.Context, v thin.Volume) error {
			freed := int64(0)
			if !c.Bool("dry-run") {
				if freed, err = sys.Trim(ctx, v); err != nil {
					return fail.Cannot("trim", v.String(), err)
				}
			}
			done++
			c.did("trim", "trimmed", v.String()+trimmed(c, freed))
			return nil
		})
		if len(unread) > 0 {
			errs := fail.Problems("list", unread)
			if err != nil {
				errs = append(errs, err)
			}
			return fail.Several(errs, done)
		}
		return err
	}, nil
}

// trimmed says how much a trim has freed.
func trimmed(c *call, freed int64) string {
	if c.Bool("dry-run") {
		return ""
	}
	return fmt.Sprintf(": %s", amount.Nice(max(freed, 0)))
}
