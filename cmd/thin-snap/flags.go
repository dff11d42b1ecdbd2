package main

// What several commands share: flags, the values of flags, and the operands of
// commands for several pools.

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// forceFlag returns the --force of commands that make volumes.
func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "although less than the pool's margin is free"}
}

// dryRunFlag returns the --dry-run of commands that delete.
func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "change nothing, say what would be done"}
}

// yesFlag returns the --yes of commands that ask.
func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "ask nothing"}
}

// size returns the size (bytes) that a flag has, or 0 if it was not given.
func (c *call) size(flag string) (int64, error) {
	if !c.IsSet(flag) {
		return 0, nil
	}
	return flagSize(flag, c.String(flag))
}

// flagSize reads the value of a flag as a size in bytes.
func flagSize(flag, value string) (int64, error) {
	n, err := parseSize(value)
	var usage *usageError
	if errors.As(err, &usage) {
		return 0, &usageError{message: "--" + flag + ": " + usage.message, hint: usage.hint}
	}
	return n, err
}

// parsePercent reads 10% or 10.
func parsePercent(what, s string) (*int, error) {
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "%"), 10, 8)
	if err != nil || n > 90 {
		return nil, &usageError{message: what + ": not a percentage up to 90: " + s, hint: "as 10% or 5"}
	}
	percent := int(n)
	return &percent, nil
}

// parseSeconds reads 90, 90s or 2m.
func parseSeconds(what, s string) (*time.Duration, error) {
	d, err := time.ParseDuration(s)
	if n, e := strconv.ParseUint(s, 10, 32); e == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < time.Second || d > 10*time.Minute || d%time.Second != 0 {
		return nil, &usageError{message: what + ": not 1s to 10m in whole seconds: " + s, hint: "as 30s or 2m"}
	}
	return &d, nil
}

// eachPool returns the work of a command that does one thing to several pools.
func eachPool(c *call, verb string, do func(system, context.Context, string) error) (work, error) {
	names, err := parsePools(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		check := func(ctx context.Context, name string) error {
			pool, err := sys.Pool(ctx, name)
			if pool.Name != "" {
				return nil // the pool exists, even if a volume's record is damaged
			}
			return cannot(verb, "pool "+name, err)
		}
		return each(ctx, names, check, func(ctx context.Context, name string) error {
			if err := do(sys, ctx, name); err != nil {
				return cannot(verb, "pool "+name, err)
			}
			c.did(verb, verb+"d", "pool "+name)
			return nil
		})
	}, nil
}
