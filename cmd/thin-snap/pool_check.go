package main

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/findings"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func poolCheckCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "find what is wrong with pools, and repair it",
		UsageText: "thin-snap pool check [-jy] [--repair] -a | NAME...",
		Description: "Compares the records of a pool with the pool, its devices, its files and\n" +
			"the mounts. It changes nothing, but for a volume that a killed snapshot\n" +
			"has left suspended: it resumes that. An inactive pool stays inactive.\n" +
			"--repair shows what it will do, and asks. If standard input is not a\n" +
			"terminal, it needs --yes. It deletes no data: a thin id without a name\n" +
			"gets a name.\n\n" +
			"   thin-snap pool check demo\n" +
			"   thin-snap pool check --repair demo",
		Flags: []cli.Flag{
			boolFlag("all,a", "check all pools, and what belongs to none"),
			boolFlag("repair", "repair what can be repaired"),
			yesFlag(),
			jsonFlag(),
		},
		Action: e.action(operands{"NAME", 0, -1}, poolCheck),
	}
}

// checked has the findings about a pool; those with no name belong to no pool.
func poolCheck(c *call) (work, error) {
	names, err := choose.Pools(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	switch {
	case c.Bool("all") && len(names) > 0:
		return nil, usage.Errorf("--all takes no NAME")
	case !c.Bool("all") && len(names) == 0:
		return nil, usage.Errorf("missing operand NAME, or --all")
	}
	return func(ctx context.Context, sys system) error {
		if c.Bool("all") {
			if names, err = sys.PoolNames(ctx); err != nil {
				return fail.Cannot("list", "pools", err)
			}
		}
		var all []findings.Checked
		check := func(ctx context.Context, name string) error {
			return fail.Cannot("check", "pool "+name, poolExists(ctx, sys, name))
		}
		err := each(ctx, names, check, func(ctx context.Context, name string) error {
			found, err := checkOne(ctx, c, checks{
				what: "pool " + name,
				check: func(ctx context.Context) ([]thin.Finding, error) {
					return sys.CheckPool(ctx, name)
				},
				repair: func(ctx context.Context, f []thin.Finding) ([]thin.Finding, error) {
					return sys.RepairPool(ctx, name, f)
				},
			})
			if err == nil {
				all = append(all, findings.Checked{Name: name, Findings: found})
			}
			return fail.Cannot("check", "pool "+name, err)
		})
		if c.Bool("all") && ctx.Err() == nil {
			found, strayErr := checkOne(ctx, c, checks{
				what: "what belongs to no pool", check: sys.CheckStrays, repair: sys.RepairStrays,
			})
			if len(found) > 0 {
				all = append(all, findings.Checked{Findings: found})
			}
			err = joined(err, fail.Cannot("check", "what belongs to no pool", strayErr))
		}
		if c.Bool("json") {
			err = joined(err, findings.WriteJSON(c.out, all))
		}
		if err == nil {
			err = findings.Unsound(all)
		}
		return err
	}, nil
}

// poolExists returns no error for a half-made pool either: check can repair it.
func poolExists(ctx context.Context, sys system, name string) error {
	names, err := sys.PoolNames(ctx)
	if err == nil && !slices.Contains(names, name) {
		_, err = sys.Pool(ctx, name)
	}
	return err
}

// joined is errors.Join that returns a single error as it is.
func joined(err, other error) error {
	if err == nil || other == nil {
		return cmp.Or(err, other)
	}
	return errors.Join(err, other)
}

// checks are the two functions that check and repair something.
type checks struct {
	what   string
	check  func(context.Context) ([]thin.Finding, error)
	repair func(context.Context, []thin.Finding) ([]thin.Finding, error)
}

// checkOne checks a pool, and repairs it if the user wants that and agrees.
func checkOne(ctx context.Context, c *call, how checks) ([]thin.Finding, error) {
	found, err := how.check(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		c.tell(f)
	}
	can := func(f thin.Finding) bool { return f.Repair != nil }
	if !c.Bool("repair") || !slices.ContainsFunc(found, can) {
		return found, nil
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	switch {
	case c.Bool("yes"):
	case c.Bool("json") || !c.env.stdinTTY:
		return nil, &usage.Error{
			Message: "it asks before it repairs, and there is no terminal to ask on",
			Hint:    "use -y",
		}
	case !c.confirm("repair " + how.what + " so?"):
		return nil, errDeclined
	}
	before := len(found)
	if found, err = how.repair(ctx, found); err != nil {
		return nil, err
	}
	for i, f := range found {
		if i >= before {
			c.tell(f) // found after the repair only
		}
		if f.Done {
			c.did("repair", "repaired", f.Object)
		}
	}
	return found, nil
}

// tell prints a finding, unless all are printed at the end.
func (c *call) tell(f thin.Finding) {
	if !c.Bool("json") {
		findings.Tell(c.out, f)
	}
}
