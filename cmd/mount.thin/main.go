// Mount.thin mounts thin volumes for mount(8).
package main

import (
	"fmt"
	"os"

	"thinmount/lib/helper"
	"thinmount/lib/thin"
)

const (
	program = "mount.thin"
	usage   = "usage: mount -t thin [-o OPTIONS] POOL/VOLUME DIR   (see mount.thin(8))"
)

// version is set by the Makefile where the build information has none.
var version string

func main() { os.Exit(helper.Main(program, usage, version, run)) }

func run(argv []string) error {
	a, err := helper.Parse(argv, "sfnv", "otN")
	if err == nil && len(a.Operands) != 2 {
		err = fmt.Errorf("needs POOL/VOLUME and DIR, has %q", a.Operands)
	}
	if err != nil {
		return helper.UsageError(err, usage)
	}
	ctx, stop := helper.Context()
	defer stop()
	return helper.InNamespace(a.Values['N'], func() error {
		return helper.System(program, a.Flags['v']).Mount(ctx, thin.MountRequest{
			Spec: a.Operands[0], Dir: a.Operands[1], Options: a.Values['o'], FSType: a.Values['t'],
			Fake: a.Flags['f'], NoMtab: a.Flags['n'] || a.Values['N'] != "",
		})
	})
}
