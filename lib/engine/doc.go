// Package engine is an opened pool: its devices, its transactions, and their
// recovery. The use cases are built on it.
//
// Its files, from the top:
//
//	pool.go             open a pool under its lock, active if need be
//	activate.go         build the devices from the bottom up
//	deactivate.go       remove the devices from the top down
//	grow.go             bring the devices to the sizes of the catalog
//	change.go           one change of the pool: intent, message, commit
//	recover.go          finish or undo what a killed command began
//	clear.go            remove what is left of a pool that was half made
//	tidy.go, sweep.go   remove stale files, locks and devices
//	head.go             the pool's first blocks, which no volume uses
//	volume_activate.go  a volume's device, kept open
//	delete.go           the halves of a delete; give the volume's blocks back
//	device*.go          make and remove one device; say who keeps it open
//	backing.go          the disks and files of an opened pool
//	state.go            refuse what the pool's state does not allow
//
// docs/design.md says in which order a change goes to disk and to the kernel;
// change.go and recover.go follow it step by step.
//
// A Pool is not safe for concurrent use. To use one pool from several
// goroutines or processes, open it in each: the pool's lock keeps them apart.
package engine
