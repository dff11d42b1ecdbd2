package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/columns"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/family"
	"thinmount/lib/thin"
)

func treeCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "tree",
		Usage:     "list volumes below their origins",
		UsageText: "thin-snap tree [-Hjp] [-o COLUMNS] [POOL | POOL/VOLUME...]",
		Description: "Shows each snapshot below the volume that it was made from: of all\n" +
			"pools, of these pools, or of these volumes. A volume whose origin was\n" +
			"deleted stands for itself.\n\n" +
			"   thin-snap tree\n" +
			"   thin-snap tree -o name,used,mounted_on demo/base",
		Flags:  showFlags(),
		Action: e.action(operands{"POOL", 0, -1}, tree),
	}
}

func tree(c *call) (work, error) {
	var pools []string
	var volumes []thin.Volume
	for _, arg := range c.Args().Slice() {
		if !strings.Contains(arg, "/") {
			pools = append(pools, arg)
			continue
		}
		v, err := choose.Volume(arg)
		if err != nil {
			return nil, err
		}
		volumes = append(volumes, v)
	}
	l := columns.Volumes("thin-snap tree")
	l.Defaults = "name,size,used,mounted_on,created"
	if helped, err := readListing(c, l); helped || err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		listed := slices.Clone(pools)
		for _, v := range volumes {
			if _, err := sys.Origin(ctx, v); err != nil { // there is no such volume
				return fail.Cannot("list", v.String(), err)
			}
			if !slices.Contains(listed, v.Pool) {
				listed = append(listed, v.Pool)
			}
		}
		infos, err := volumesOf(ctx, sys, listed)
		tops := volumes
		for _, i := range infos {
			if len(volumes) == 0 || slices.Contains(pools, i.Volume.Pool) {
				tops = append(tops, i.Volume)
			}
		}
		l.Arrange = func(all []thin.VolumeInfo) (things []thin.VolumeInfo, drawn []string) {
			for _, line := range family.Of(all).Draw(tops) {
				things, drawn = append(things, line.Volume), append(drawn, line.Drawn)
			}
			return things, drawn
		}
		if len(infos) > 0 || err == nil {
			if err := l.WriteList(c.out, infos); err != nil {
				return err
			}
		}
		return err
	}, nil
}
