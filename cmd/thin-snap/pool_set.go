package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/amount"
	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func poolSetCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "change properties of a pool",
		UsageText: "thin-snap pool set PROPERTY=VALUE... NAME",
		Description: "The properties are:\n\n" +
			"   margin          data and metadata that create and snapshot leave free\n" +
			"   on-full         what a write does when the pool is full: error, or\n" +
			"                   queue to wait for room\n" +
			"   freeze-limit    how long a snapshot may freeze its origin, as 30s\n" +
			"   data, metadata  the path by which the pool's own disk is found\n\n" +
			"   thin-snap pool set margin=5% on-full=queue demo\n" +
			"   thin-snap pool set data=/dev/disk/by-id/ata-A fast",
		Action: e.action(operands{"PROPERTY=VALUE NAME", 2, -1}, poolSet),
	}
}

func poolSet(c *call) (work, error) {
	args := c.Args().Slice()
	last := len(args) - 1
	name, err := choose.Pool(args[last])
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
			return fail.Cannot("set properties of", "pool "+name, err)
		}
		c.did("change", "changed", "pool "+name)
		return nil
	}, nil
}

// poolProperties are the names that setProperty knows.
var poolProperties = []string{"margin", "on-full", "freeze-limit", "data", "metadata"}

func setProperty(set *thin.Settings, arg string) error {
	property, value, ok := strings.Cut(arg, "=")
	if !ok {
		return usage.Errorf("not PROPERTY=VALUE: %s", arg)
	}
	var err error
	switch property {
	case "margin":
		set.Margin, err = amount.Percent("margin", value)
	case "on-full", "on_full":
		onFull := thin.OnFull(value)
		if !onFull.Valid() {
			return usage.Errorf("on-full: neither error nor queue: %s", value)
		}
		set.OnFull = &onFull
	case "freeze-limit", "freeze_limit":
		set.FreezeLimit, err = amount.Seconds("freeze-limit", value)
	case "data", "metadata":
		if value == "" {
			return usage.Errorf("%s: no path of a device", property)
		}
		if property == "data" {
			set.Data = value
		} else {
			set.Metadata = value
		}
	default:
		return &usage.Error{
			Message: "no property " + strconv.Quote(property) + " that can be changed",
			Hint: usage.DidYouMean(property, poolProperties, "",
				"there are margin, on-full, freeze-limit, data and metadata"),
		}
	}
	return err
}
