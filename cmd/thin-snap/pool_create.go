package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/amount"
	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func poolCreateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "create",
		Usage: "make a pool, in files or on two block devices",
		UsageText: "thin-snap pool create [-f] [--data DEVICE --metadata DEVICE | --dir DIR]" +
			" [--size SIZE] [--metadata-size SIZE] [--block-size SIZE] [--on-full error|queue]" +
			" [--margin PERCENT] NAME",
		Description: "Without --data and --metadata the pool lies in two files on loop\n" +
			"devices, in /var/lib/thin/NAME or in --dir. The data file is sparse. A\n" +
			"device that carries a filesystem, a partition table or another signature\n" +
			"is refused unless --force.\n\n" +
			"   thin-snap pool create demo\n" +
			"   thin-snap pool create --data /dev/disk/by-id/ata-A \\\n" +
			"      --metadata /dev/disk/by-id/ata-B fast",
		Flags: []cli.Flag{
			valueFlag("data", "block `DEVICE` for data"),
			valueFlag("metadata", "block `DEVICE` for metadata"),
			valueFlag("dir", "existing `DIR` for the files of the pool"),
			valueFlag("size", "`SIZE` for data"),
			valueFlag("metadata-size", "`SIZE` for metadata; by default what the data may need"),
			valueFlag("block-size",
				"`SIZE` of a block, which is allocated and shared as one: a multiple of 64K"),
			&cli.StringFlag{Name: "on-full", Value: string(thin.OnFullError),
				Usage: "what a write does when the pool is full: `WHAT` is error, " +
					"or queue to wait for room"},
			&cli.StringFlag{Name: "margin", Value: "10%",
				Usage: "`PERCENT` of data and of metadata that new volumes leave free"},
			boolFlag("force,f", "overwrite what is on the devices"),
		},
		Action: e.action(operands{"NAME", 1, 1}, poolCreate),
	}
}

func poolCreate(c *call) (work, error) {
	spec, err := poolSpec(c)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		if err := sys.CreatePool(ctx, spec); err != nil {
			return fail.Cannot("create", "pool "+spec.Name, err)
		}
		c.did("create", "created", "pool "+spec.Name)
		return nil
	}, nil
}

func poolSpec(c *call) (thin.PoolSpec, error) {
	spec := thin.PoolSpec{
		DataDevice: c.String("data"), MetadataDevice: c.String("metadata"), Dir: c.String("dir"),
		OnFull: thin.OnFull(c.String("on-full")), Force: c.Bool("force"),
	}
	var err error
	if spec.Name, err = choose.Pool(c.Args().First()); err != nil {
		return spec, err
	}
	for flag, field := range map[string]*int64{
		"size": &spec.Size, "metadata-size": &spec.MetadataSize, "block-size": &spec.BlockSize,
	} {
		if *field, err = c.size(flag); err != nil {
			return spec, err
		}
	}
	if c.IsSet("margin") {
		if spec.Margin, err = amount.Percent("--margin", c.String("margin")); err != nil {
			return spec, err
		}
	}
	switch {
	case (spec.DataDevice == "") != (spec.MetadataDevice == ""):
		return spec, usage.Errorf("--data and --metadata go together")
	case spec.DataDevice != "" && spec.Dir != "":
		return spec, usage.Errorf(
			"--dir is for a pool in files: it does not go with --data and --metadata")
	case !spec.OnFull.Valid():
		return spec, usage.Errorf("--on-full: neither error nor queue: %s", spec.OnFull)
	}
	return spec, nil
}
