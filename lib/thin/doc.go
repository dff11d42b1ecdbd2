// Package thin is the face of thinmount: create a pool, a volume or a snapshot,
// delete, activate, mount, unmount, list, check and recover. Programs import this
// package alone. Its System has one method for each use case; the rooms below do
// the work, and import each other from the top down only:
//
//	thin                                 this package
//	inspect                              check and repair
//	pools, mounting, volumes             the use cases
//	check                                facts in, findings out
//	engine                               an opened pool: devices, transactions, recovery
//	registry                             pools and volumes by name; who uses them
//	backing                              a pool's disks and files
//	health                               what a pool's state means
//	host, dmname, fault                  the machine; names of devices; errors
//
// What goes to disk and to the kernel in which order stands in docs/design.md.
//
// Every use case takes a context. Waiting (for locks, for a device to be closed)
// ends at System.Deadline or when the context does, whichever comes first; what
// must be finished or undone is finished or undone even then. All methods of
// System may be called concurrently, by goroutines and by processes: they meet at
// the locks under RunDir.
//
// # Main must take part
//
// A snapshot of a mounted volume, and an unmount or a sync that may wait for room
// in a pool, start the running program once more as a second process (packages
// freeze and apart). So the main of a program that uses System begins with
//
//	freeze.RunIfWatcher()
//	apart.RunIfChild()
//
// Without these calls the methods that need a second process start none, and
// return freeze.ErrNoEntry or apart.ErrNoEntry.
package thin
