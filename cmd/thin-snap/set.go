package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func setCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "set properties of a volume",
		UsageText: "thin-snap set [-n] POOL/VOLUME KEY=VALUE...",
		Description: "Notes something of your own about a volume, to select volumes by. A key\n" +
			"has a dot or a colon in it. A snapshot begins without properties.\n\n" +
			"   thin-snap set demo/base org.example.build=42 org.example.by=me\n" +
			"   thin-snap list --filter org.example.build=42",
		Flags:  []cli.Flag{dryRunFlag("set")},
		Action: e.action(operands{"POOL/VOLUME KEY=VALUE", 2, -1}, set),
	}
}

func set(c *call) (work, error) {
	args := c.Args().Slice()
	// A user of zfs set or pool set has the volume at the end.
	if last := len(args) - 1; strings.Contains(args[0], "=") && !strings.Contains(args[last], "=") {
		args = slices.Insert(args[:last], 0, args[last])
	}
	v, err := choose.Volume(args[0])
	if err != nil {
		return nil, err
	}
	properties, err := parseProperties(args[1:])
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		err := c.unlessDry(ctx, sys, v,
			func() error { return sys.SetProperties(ctx, v, properties) })
		if err != nil {
			return fail.Cannot("set properties of", v.String(), err)
		}
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			c.did("set", "set", key+"="+properties[key]+" of "+v.String())
		}
		return nil
	}, nil
}

// unlessDry calls do. With --dry-run it only looks whether the volume exists.
func (c *call) unlessDry(ctx context.Context, sys system, v thin.Volume, do func() error) error {
	if c.Bool("dry-run") {
		_, err := sys.Volume(ctx, v)
		return err
	}
	return do()
}

// parseProperties reads KEY=VALUE several times.
func parseProperties(args []string) (thin.Properties, error) {
	out := thin.Properties{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if _, twice := out[key]; twice {
			return nil, usage.Errorf("property %s is given twice", key)
		}
		switch {
		case !ok:
			return nil, &usage.Error{Message: "not KEY=VALUE: " + arg,
				Hint: "as org.example.build=42"}
		case value == "": // as from an unset variable in a script
			return nil, &usage.Error{Message: "property " + key + ": its value is empty",
				Hint: "thin-snap unset POOL/VOLUME " + key + " removes it"}
		}
		out[key] = value
	}
	if err := out.Check(); err != nil {
		return nil, usage.Errorf("%v", err)
	}
	return out, nil
}
