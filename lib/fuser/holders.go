// Package fuser finds out who keeps a mount busy: umount(2) says EBUSY and
// nothing more, and whoever reads that wants to know which program to close.
//
// Nothing found does not mean that nobody holds the mount: what other users'
// processes do is seen by root alone, and sockets bound on the mount,
// descriptors under way between processes and NFS exports are not looked for.
// What is found may be over by the time it is read. So this explains a failure
// and decides nothing.
package fuser

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Mount is the mount that is asked about, as /proc/self/mountinfo has it.
type Mount struct {
	ID           int
	Major, Minor int    // of the filesystem: mountinfo's, which on btrfs is not stat's
	Point        string // where it is mounted
}

// Holder is one reason why a mount is busy.
type Holder struct {
	PID     int    // 0 for what the kernel itself holds
	Command string // the process's comm, or the loop device's name
	UID     int    // effective; -1 where there is no process
	What    string // one of the constants below
	Path    string // as the kernel shows it, so perhaps with " (deleted)" at its end
	More    int    // holders counted and not listed; in the last of a list or of a process
}

// What a Holder does with its path.
const (
	Cwd        = "cwd"
	Root       = "root" // of a chroot
	Open       = "open"
	Mapped     = "mapped"
	Executable = "executable"
	Submount   = "mount" // mounted on a folder of the mount, or over it
	Swap       = "swap"  // a swap file
	Loop       = "loop"  // the file behind a loop device
	Above      = "above" // a device that lies on the device: of dm, md or bcache
	Overlay    = "overlay"
)

// How many holders are kept: of one process, of all processes, of the kernel.
const (
	maxOfProcess = 8
	maxProcess   = 48
	maxKernel    = 16
)

// Of lists who holds m, the processes by number and then what the kernel holds,
// at most 64 in all: Holder.More tells how many were left out. proc is where
// procfs is mounted. It asks no filesystem but procfs and sysfs for anything,
// so that a dead NFS server keeps it from nothing; should a process be stuck in
// such a way that looking at it hangs, ctx ends the search. Then, as with any
// error, what was found is returned beside it. The calling process is left out.
func Of(ctx context.Context, proc string, m Mount) ([]Holder, error) {
	return of(ctx, proc, "/sys", m)
}

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

// sorted lists what the processes hold, by their number.
func (s *search) sorted(ctx context.Context) ([]Holder, error) {
	found, err := s.processes(ctx)
	slices.SortStableFunc(found, func(a, b Holder) int { return cmp.Compare(a.PID, b.PID) })
	return capped(found, maxProcess), err
}

// capped keeps the first n and counts the others in the last of them.
func capped(all []Holder, n int) []Holder {
	if len(all) <= n {
		return all
	}
	for _, h := range all[n:] {
		all[n-1].More += 1 + h.More
	}
	return all[:n:n]
}
