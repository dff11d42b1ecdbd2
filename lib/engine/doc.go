// Package engine is an opened pool: its devices, its transactions, and their
// recovery. The use cases stand on it.
//
// Its files, from the top:
//
//	pool.go             open a pool under its lock, active if need be
//	activate.go         build the devices from the bottom up
//	deactivate.go       take them down
//	grow.go             bring the devices to the sizes of the catalog
//	change.go           one change of the pool: intent, message, commit
//	recover.go          finish or undo what a killed command began
//	clear.go            remove what is left of a pool that was half made
//	tidy.go, sweep.go   remove stale files, locks and devices
//	head.go             the first blocks, which no volume has
//	volume_activate.go  a volume's device, held open
//	discard.go          give a deleted volume's blocks back
//	device*.go          make and remove one device; say who keeps it open
//	backing.go          the disks and files of an opened pool
//	state.go            refuse what the pool's state would not bear
//
// The order in which a change goes to disk and to the kernel stands in
// docs/design.md; change.go and recover.go follow it step by step.
//
// A Pool is not safe for concurrent use. Several of one pool in one process or in
// many meet at the pool's lock.
package engine
