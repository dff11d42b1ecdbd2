//go:build linux

package main

import (
	"os"
	"runtime"

	"thinmount/lib/freeze"
	"thinmount/lib/reexec"
)

func main() {
	freeze.RunIfWatcher()  // of a snapshot, which resumes the origin should we die: nothing may run before it
	reexec.RunIfChild()    // of an unmount or a sync that may have to be left to itself
	runtime.LockOSThread() // see helper.Start
	os.Exit(run(os.Args, newEnv()))
}
