// Package fuser finds out what keeps a mount or a block device busy. umount(2)
// only returns EBUSY; the user wants to know which program to close.
//
// The list need not be complete. Only root sees what the processes of other
// users have open. The package does not look for sockets that are bound on the
// mount, for file descriptors that are in a message between processes, or for
// NFS exports. And a holder may have ended before the caller reads the list. So
// use the list to explain a failed unmount, and never to decide whether to
// unmount.
package fuser

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Mount is a mount, as /proc/self/mountinfo describes it.
type Mount struct {
	ID           int
	Major, Minor int    // device number in mountinfo; on btrfs stat(2) has another one
	Point        string // where the filesystem is mounted
}

// Holder is one reason why a mount is busy.
type Holder struct {
	PID     int    // 0 if the holder is the kernel itself
	Command string // comm of the process, or name of the loop device or the device above
	UID     int    // effective user of the process; -1 if there is no process
	What    string // one of the constants below
	Path    string // as the kernel shows it; it may end in " (deleted)"
	More    int    // in the last holder of a list or of a process: how many were left out
}

// Values of Holder.What: what the path is to the holder.
const (
	Cwd        = "cwd"        // working directory of the process
	Root       = "root"       // root directory of the process (chroot)
	Open       = "open"       // file that the process has open
	Mapped     = "mapped"     // file that the process has mapped
	Executable = "executable" // program that the process runs
	Submount   = "mount"      // mount point on the mount, or over it
	Swap       = "swap"       // swap space
	Loop       = "loop"       // file or device behind a loop device
	Above      = "above"      // device of dm, md or bcache that lies on the device
	Overlay    = "overlay"    // overlay mount with layers on the device
)

// How many holders a list has at most.
const (
	maxOfProcess = 8  // of one process
	maxProcess   = 48 // of all processes together
	maxKernel    = 16 // of the kernel
)

// Of lists the holders of m, except the calling process: first processes, by
// PID, then what the kernel itself holds. The list has at most 64 holders;
// Holder.More counts the others. proc is the path where procfs is mounted.
//
// Of asks no filesystem except procfs and sysfs, so a dead NFS server does not
// stop it. Looking at a stuck process may hang; then ctx ends the search. With
// an error, Of also returns what it has found so far.
func Of(ctx context.Context, proc string, m Mount) ([]Holder, error) {
	return of(ctx, proc, "/sys", m)
}

// of is Of with sysfs mounted at sys.
func of(ctx context.Context, proc, sys string, m Mount) ([]Holder, error) {
	s := search{proc: proc, mount: m, same: map[string]map[int]bool{}}
	table, err := readTable(proc + "/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("who holds %s: %w", m.Point, err)
	}
	s.table = table
	kernel := capped(kernelHeld(proc, sys, table, m), maxKernel)
	found, err := s.sorted(ctx)
	if err != nil {
		err = fmt.Errorf("who holds %s: %w", m.Point, err)
	}
	return append(found, kernel...), err
}

// sorted lists what the processes hold, sorted by PID.
func (s *search) sorted(ctx context.Context) ([]Holder, error) {
	found, err := s.processes(ctx)
	order := make([]*Holder, len(found))
	for i := range found {
		order[i] = &found[i]
	}
	slices.SortStableFunc(order, func(a, b *Holder) int { return cmp.Compare(a.PID, b.PID) })
	inOrder := make([]Holder, len(found))
	for i, h := range order {
		inOrder[i] = *h
	}
	return capped(inOrder, maxProcess), err
}

// capped keeps the first n holders, and adds the number of the others to More
// of the last one it keeps.
func capped(all []Holder, n int) []Holder {
	if len(all) <= n {
		return all
	}
	for _, h := range all[n:] {
		all[n-1].More += 1 + h.More
	}
	return all[:n:n]
}
