// Umount.thin unmounts thin volumes for umount(8).
package main

import (
	"os"

	"thinmount/lib/helper"
	"thinmount/lib/reexec"
	"thinmount/lib/thin"
)

const (
	program = "umount.thin"
	usage   = "usage: umount DIR; see umount.thin(8)"
)

// version is set by the Makefile where the build information has none.
var version string

func main() {
	reexec.RunIfChild() // of an unmount that may have to be left to itself
	argv, done := helper.Start(program, usage, version)
	if !done {
		os.Exit(helper.Report(os.Stderr, program, run(argv)))
	}
}

func run(argv []string) error {
	a, err := helper.Parse(argv, "nlfvr", "otN")
	if err == nil && len(a.Operands) != 1 {
		err = helper.Needs([]string{"DIR"}, a.Operands)
	}
	if err != nil {
		return helper.UsageError(err, usage)
	}
	if err := helper.EnterNamespace(a.Values['N']); err != nil {
		return err
	}
	ctx, stop := helper.Context()
	defer stop()
	return helper.System(program, a.Flags['v']).Unmount(ctx, thin.UnmountRequest{
		Dir: a.Operands[0], Lazy: a.Flags['l'], Force: a.Flags['f'], ReadOnly: a.Flags['r'],
		All: helper.StopsUnit(),
	})
}
