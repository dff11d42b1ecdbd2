// Package refcount keeps, in a folder such as /run/thin, how many references
// the one mount of each volume has, and the locks of volumes and pools.
//
// # What it does
//
// A volume is mounted once, and each further mount of it is a reference. The
// package counts these between processes that know nothing of each other:
//
//   - Store.Lock takes a volume's lock and reads its record. Ref.Reconcile
//     brings the record in line with what the caller has observed of the
//     kernel; Ref.Add, Ref.Drop, Ref.Save and Ref.Clear change it.
//   - Store.PoolLock takes a pool's lock, which is shared by those who use one
//     of its volumes and exclusive for those who change the pool.
//   - Store.Read, Store.List and Store.Entries look without locks.
//
// A record is a claim and never the truth: a process may be killed between a
// mount and its record, and others mount without this package. Record.Reconcile
// says how far a record is believed.
//
// # What it needs
//
// A folder on a local filesystem whose parent exists, best a tmpfs: records are
// not synced to disk, because no mount outlives the kernel. The folder must be
// the caller's own and closed to others (package privdir). It needs no root by
// itself.
//
// # Concurrency
//
// A Store may be used by any number of goroutines and processes. Locks are
// flock(2) on files: they end with the process. A Ref is for one goroutine.
// Locks of volumes are taken before those of pools, never the other way round.
// Waits for locks end with their context, with a *filelock.HeldError that names
// the holders.
//
// # When not to use it
//
//   - To find out what is mounted: read /proc/self/mountinfo. This package
//     reads neither that nor the device, and mounts nothing; the caller passes
//     what it has seen (Observed).
//   - For state that has to survive a reboot.
//   - On a network filesystem, where flock(2) may be local to each machine.
//
// # Sources
//
// flock(2), proc_locks(5), proc_pid_mountinfo(5), mount_namespaces(7).
package refcount
