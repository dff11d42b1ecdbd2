package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"thinmount/lib/thin"
)

func poolSetCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "change properties of a pool",
		UsageText: "thin-snap pool set PROPERTY=VALUE... NAME",
		Description: "margin is how much of the data and of the metadata new volumes and snapshots leave free, 10% at first; on-full is what a write\n" +
			"does when the pool is full: error, or queue to wait for room; freeze-limit is how long a snapshot may keep a mounted origin waiting,\n" +
			"30s at first; data and metadata are the paths by which the pool's own disks are found.\n\n" +
			"   thin-snap pool set margin=5% on-full=queue demo\n" +
			"   thin-snap pool set data=/dev/disk/by-id/ata-A fast",
		Action: e.action(operands{"PROPERTY=VALUE NAME", 2, -1}, poolSet),
	}
}

func poolSet(c *call) (work, error) {
	args := c.Args().Slice()
	last := len(args) - 1
	name, err := parsePool(args[last])
	if err != nil {
		return nil, err
	}
	var set thin.Settings
	for _, arg := range args[:last] {
		if err := setProperty(&set, arg); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, sys system) error {
		if err := sys.SetPool(ctx, name, set); err != nil {
			return cannot("set properties of", "pool "+name, err)
		}
		c.did("change", "changed", "pool "+name)
		return nil
	}, nil
}

func setProperty(set *thin.Settings, arg string) error {
	property, value, ok := strings.Cut(arg, "=")
	if !ok {
		return usagef("not PROPERTY=VALUE: %s", arg)
	}
	var err error
	switch property {
	case "margin":
		set.Margin, err = parsePercent("margin", value)
	case "on-full", "on_full":
		if value != "error" && value != "queue" {
			return usagef("on-full: neither error nor queue: %s", value)
		}
		set.OnFull = &value
	case "freeze-limit", "freeze_limit":
		set.FreezeLimit, err = parseSeconds("freeze-limit", value)
	case "data", "metadata":
		if value == "" {
			return usagef("%s: no path of a device", property)
		}
		if property == "data" {
			set.Data = value
		} else {
			set.Metadata = value
		}
	default:
		return &usageError{message: "no property " + strconv.Quote(property) + " that can be changed", hint: "there are margin, on-full, freeze-limit, data and metadata"}
	}
	return err
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

// forceFlag is that of commands that make volumes.
func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "although less than the pool's margin is free"}
}
