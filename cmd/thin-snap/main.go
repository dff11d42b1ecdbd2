//go:build linux

// Command thin-snap makes, lists and removes thin pools, their volumes and snapshots of them. See thin-snap(8).
package main

import (
	"os"
	"runtime"

	"thinmount/lib/apart"
	"thinmount/lib/freeze"
)

func main() {
	// A snapshot re-executes this program as the process that thaws the origin should we die: nothing may run before it.
	if freeze.IsWatcher(os.Args) {
		os.Exit(freeze.Watch(os.Args))
	}
	// So does an unmount that may have to be left to itself.
	if apart.IsChild(os.Args) {
		os.Exit(apart.Run(os.Args))
	}
	runtime.LockOSThread() // see helper.Main
	os.Exit(run(os.Args, newEnv()))
}
