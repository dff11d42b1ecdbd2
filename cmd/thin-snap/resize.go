package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/amount"
	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/lib/thin"
)

func resizeCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "resize",
		Aliases:   []string{"grow"},
		Usage:     "change the size of a volume and of its filesystem",
		UsageText: "thin-snap resize [-fn] POOL/VOLUME SIZE | +SIZE",
		Description: "ext2 to ext4, xfs and btrfs grow with the volume, mounted or not; another\n" +
			"content keeps its size. A size with + before it is added to the present\n" +
			"size. With --force a volume becomes smaller, if it has btrfs or nothing\n" +
			"on it. To repeat the command finishes what was interrupted.\n\n" +
			"   thin-snap resize demo/base 4G\n" +
			"   thin-snap resize demo/base +512M",
		Flags: []cli.Flag{
			dryRunFlag("resized"),
			boolFlag("force,f", "make the volume smaller, ignore the pool's margin"),
		},
		Action: e.action(operands{"POOL/VOLUME SIZE", 2, 2}, resize),
	}
}

func resize(c *call) (work, error) {
	v, err := choose.Volume(c.Args().Get(0))
	if err != nil {
		return nil, err
	}
	written, more := strings.CutPrefix(c.Args().Get(1), "+")
	size, err := amount.Size(written)
	if err != nil {
		return nil, err
	}
	spec := thin.ResizeSpec{Volume: v, Size: size, More: more, Force: c.Bool("force")}
	return func(ctx context.Context, sys system) error {
		to := size
		err := c.unlessDry(ctx, sys, v, func() (err error) {
			to, err = sys.Resize(ctx, spec)
			return err
		})
		if err != nil {
			return fail.Cannot("resize", v.String(), err)
		}
		how := " to "
		if more && c.Bool("dry-run") {
			how = " by "
		}
		c.did("resize", "resized", v.String()+how+amount.Nice(to))
		return nil
	}, nil
}
