//go:build linux

package main

import (
	"os"

	"thinmount/lib/freeze"
	"thinmount/lib/job"
	"thinmount/lib/reexec"
)

func main() {
	freeze.RunIfWatcher() // it resumes a snapshot's origin if thin-snap dies; must run first
	job.RunIfChild()      // the first process of the namespace that run makes
	reexec.RunIfChild()   // the second process of an unmount or a sync, which may hang
	os.Exit(run(os.Args, newEnv()))
}
