package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/job"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
)

// ErrOfRun says that a volume was made for a program to run in it, and belongs
// to that program until it has ended. To a caller that has the volume's lock it
// says that the program was killed.
var ErrOfRun = errors.New("a program runs in it")

// ofRun returns the error for a volume that was made for a program to run in
// it. It is ErrOfRun and fault.ErrBusy, and names the process that holds the
// volume's lock. If there is none, it was killed, and a later command deletes
// the volume: then the error is fault.ErrNotFound.
func ofRun(s *host.System, volume spec.Volume) error {
	if free, err := s.Refs().IsFree(volume); err == nil && free {
		return &fault.Error{Object: volume.String(),
			Err: fault.Errorf(fault.ErrNotFound,
				"no such volume: the program for which it was made was killed"),
			Remedy: fault.RecoverPool{Pool: volume.Pool}}
	}
	return &fault.Error{Object: volume.String(),
		Err: fault.Errorf(fault.ErrBusy, "%w: %s", ErrOfRun, s.Refs().Who(volume))}
}

// LockNew locks the name of a new volume, as LockVolume does. It does not wait
// for the end of a program for which a volume of that name was made, and
// returns ErrOfRun.
func LockNew(ctx context.Context, s *host.System, volume spec.Volume) (*refcount.Ref, error) {
	ref, err := s.Refs().TryLock(volume)
	if err == nil {
		return ref, nil
	}
	if _, _, err := Find(s, volume); errors.Is(err, ErrOfRun) {
		return nil, err
	}
	return LockVolume(ctx, s, volume)
}

// runOf returns the process that has begun the mount namespace of pid, if it
// did so for a program that runs in a volume, and else 0. It hands signals on
// to the program.
func runOf(proc string, pid int) int {
	first := eldest(proc, pid)
	name, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(first), "comm"))
	if err != nil || strings.TrimSpace(string(name)) != job.ProcessName {
		return 0
	}
	return first
}

// eldest returns the process that has begun the mount namespace of pid: its
// parent is in another namespace.
func eldest(proc string, pid int) int {
	namespace := func(pid int) uint64 {
		return mount.NamespaceAt(filepath.Join(proc, strconv.Itoa(pid), "ns/mnt"))
	}
	for ns := namespace(pid); ns != 0; {
		parent := parentOf(proc, pid)
		if parent <= 0 || namespace(parent) != ns {
			break
		}
		pid = parent
	}
	return pid
}

// parentOf reads the parent of a process, or 0. The name before it may have
// blanks in it, and ends with the last ")" (proc_pid_stat(5)).
func parentOf(proc string, pid int) int {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	stat := string(b)
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(f[1])
	return parent
}
