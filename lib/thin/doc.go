// Package thin is the interface of thinmount: create a pool, a volume or a
// snapshot, delete, activate, mount, unmount, list, check and recover. Programs
// import this package alone. Its System has one method for each use case. The
// packages below do the work, and each imports packages below it only:
//
//	thin                                 this package
//	inspect                              check and repair
//	pools, running, mounting, volumes    the use cases
//	check                                facts in, findings out
//	engine                               an opened pool: devices, transactions, recovery
//	registry                             pools and volumes by name; who uses them
//	backing                              a pool's disks and files
//	health                               what a pool's state means
//	host, dmname, fault                  the machine; names of devices; errors
//
// docs/design.md says in which order each use case writes to disk and to the
// kernel.
//
// Every use case takes a context. A wait (for a lock, or until a device is
// closed) ends after System.Deadline or with the context, whichever is first. A
// use case that has begun a change finishes or undoes it even then. Goroutines
// and processes may call the methods of System concurrently: locks under RunDir
// keep them apart.
//
// # Main must take part
//
// Some use cases start the running program again as a second process (packages
// freeze, job and reexec): a snapshot of a mounted volume, a program that runs
// in a volume, and an unmount or a sync that may have to wait for room in a
// pool. So the main function of a program that uses System begins with
//
//	freeze.RunIfWatcher()
//	job.RunIfChild()
//	reexec.RunIfChild()
//
// Without these calls the methods that need a second process start none, and
// return an error such as freeze.ErrNoEntry.
package thin
