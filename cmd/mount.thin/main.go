// Mount.thin mounts thin volumes for mount(8).
package main

import (
	"os"

	"thinmount/lib/helper"
	"thinmount/lib/thin"
)

const (
	program = "mount.thin"
	usage   = "usage: mount -t thin [-o OPTIONS] POOL/VOLUME DIR; see mount.thin(8)"
	// For a remount mount(8) passes no operand at all, not even DIR, if it
	// finds no mount on DIR.
	remount = "after mount -o remount: nothing is mounted there; "
)

// version is set by the Makefile if the build information has no version.
var version string

func main() {
	argv, done := helper.Start(program, usage, version)
	if !done {
		os.Exit(helper.Report(os.Stderr, program, run(argv)))
	}
}

func run(argv []string) error {
	a, err := helper.Parse(argv, "sfnv", "otN")
	hint := usage
	if err == nil && len(a.Operands) != 2 {
		err = helper.Needs([]string{"POOL/VOLUME", "DIR"}, a.Operands)
		if len(a.Operands) == 0 {
			hint = remount + usage
		}
	}
	if err != nil {
		return helper.UsageError(err, hint)
	}
	if err := helper.EnterNamespace(a.Values['N']); err != nil {
		return err
	}
	ctx, stop := helper.Context()
	defer stop()
	return helper.System(program, a.Flags['v']).Mount(ctx, thin.MountRequest{
		Spec: a.Operands[0], Dir: a.Operands[1], Options: a.Values['o'], FSType: a.Values['t'],
		Fake: a.Flags['f'], NoMtab: a.Flags['n'] || a.Values['N'] != "",
	})
}
