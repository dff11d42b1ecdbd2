package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/columns"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/lib/thin"
)

func listCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:    "list",
		Aliases: []string{"ls"},
		Usage:   "list volumes",
		UsageText: "thin-snap list [-Hjp] [-o COLUMNS] [-s COLUMN | -S COLUMN] " +
			"[--filter COLUMN=VALUE...] [POOL...]",
		Description: "Shows every volume of the pools, or of all pools: its size, the room\n" +
			"that it takes, its origin, where it is mounted, and how many references\n" +
			"it has. A property that thin-snap set has set is a column, too.\n\n" +
			"   thin-snap list\n" +
			"   thin-snap list -o +device,fs -S used demo\n" +
			"   thin-snap list --filter org.example.build=42 --filter fs=ext4\n" +
			"   thin-snap list --json",
		Flags:  append(listFlags(), filterFlag()),
		Action: e.action(operands{"POOL", 0, -1}, list),
	}
}

func list(c *call) (work, error) {
	pools, err := choose.Pools(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	l := columns.Volumes("thin-snap list")
	if helped, err := readListing(c, l); helped || err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		volumes, err := volumesOf(ctx, sys, pools)
		if len(volumes) > 0 || err == nil {
			if err := l.WriteList(c.out, volumes); err != nil {
				return err
			}
		}
		if len(volumes) == 0 && err == nil && l.ForPeople() {
			c.note("no volumes; thin-snap create --size SIZE --fs ext4 POOL/VOLUME makes one")
		}
		return err
	}, nil
}

// volumesOf returns the volumes of the named pools, or of all pools. With an
// error, it also returns the volumes that it has found.
func volumesOf(ctx context.Context, sys system, pools []string) ([]thin.VolumeInfo, error) {
	if len(pools) == 0 {
		volumes, err := sys.Volumes(ctx, "")
		return volumes, fail.Cannot("list", "volumes", err)
	}
	var found []thin.VolumeInfo
	var errs []error
	for _, pool := range pools {
		volumes, err := sys.Volumes(ctx, pool)
		if err != nil {
			errs = append(errs, fail.Cannot("list", "pool "+pool, err))
		}
		found = append(found, volumes...)
	}
	return found, fail.Several(errs, len(pools)-len(errs))
}
