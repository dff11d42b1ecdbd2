package registry

import (
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
)

// A mount namespace that is made is a copy of another with all its mounts, each
// with an ID of its own (unshare(1), a service with PrivateMounts=). A copy counts
// nothing: it is no reference, and neither is its unmount. The record of a volume
// tells which mount is the counted one, and in which namespace it is. A table of
// mounts is that of a namespace as seen from a root (chroot(2)), so the same mount
// may be missing from the table of who looks.

// ProcTable is the mount table that a process sees.
type ProcTable struct {
	Pid    int
	Ns     uint64 // its mount namespace, as mount.NamespaceAt gives it
	Mounts []*mountinfo.Info
}

// ProcTables reads the mount tables that processes see, that of each namespace
// and root once. A process that has ended meanwhile is left out. proc is /proc.
func ProcTables(proc string) iter.Seq[ProcTable] {
	type view struct {
		ns   uint64
		root string
	}
	return func(yield func(ProcTable) bool) {
		seen := map[view]bool{}
		entries, _ := os.ReadDir(proc)
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil {
				continue
			}
			home := filepath.Join(proc, e.Name())
			v := view{ns: mount.NamespaceAt(home + "/ns/mnt")}
			v.root, _ = os.Readlink(home + "/root")
			if v.ns == 0 || seen[v] {
				continue
			}
			table, err := mountinfo.Read(home + "/mountinfo")
			if err != nil {
				continue // another process of that namespace may be there
			}
			seen[v] = true
			if !yield(ProcTable{pid, v.ns, table}) {
				return
			}
		}
	}
}

// MountedBy finds a process in whose mount namespace the device is mounted, by its
// number or, for btrfs, by its source; pid is 0 where there is none.
func MountedBy(tables iter.Seq[ProcTable], dev, source string) (pid int, dir string) {
	number, err := dm.ParseDevNo(dev)
	if err != nil {
		return 0, ""
	}
	for t := range tables {
		if dir := mountedIn(t.Mounts, number, source); dir != "" {
			return t.Pid, dir
		}
	}
	return 0, ""
}

// mountedIn is where a mount table has the device, or "".
func mountedIn(table []*mountinfo.Info, dev dm.DevNo, source string) string {
	for _, m := range mount.ByDev(table, int(dev.Major), int(dev.Minor), source) {
		if m.Mountpoint != "" {
			return m.Mountpoint
		}
	}
	return ""
}

// IsMountedSomewhere tells whether the mount that a record claims is in a table of some process:
// by its ID, which no other mount has, or by its path in the recorded namespace,
// where it may have got another ID. In a container with process IDs of its own
// /proc does not show the others (all is false); then it is believed.
func IsMountedSomewhere(tables iter.Seq[ProcTable], all bool, rec refcount.Record, ours uint64, source string) bool {
	dev, err := dm.ParseDevNo(rec.Dev)
	if err != nil {
		return false
	}
	for t := range tables {
		for _, m := range mount.ByDev(t.Mounts, int(dev.Major), int(dev.Minor), source) {
			samePath := t.Ns == rec.Namespace && t.Ns != ours && m.Mountpoint == rec.MountedOn
			if m.ID == rec.MountID || samePath {
				return true
			}
		}
	}
	return rec.Namespace != 0 && rec.Namespace != ours && !all
}

// initialPIDs is the namespace of process IDs that has them all: PROC_PID_INIT_INO
// in include/linux/proc_ns.h.
const initialPIDs = "pid:[4026531836]"

// ShowsAll tells whether proc shows the processes of the whole machine.
func ShowsAll(proc string) bool {
	ns, err := os.Readlink(proc + "/self/ns/pid")
	return err == nil && ns == initialPIDs
}

// PathToMount is a path to where a volume is mounted, in the mount namespace of another
// process if need be, or "".
func PathToMount(c *dm.Control, rec refcount.Record, v catalog.Volume) string {
	if !rec.Elsewhere {
		return rec.MountedOn
	}
	pid, dir := MountedBy(ProcTables("/proc"), rec.Dev, c.NodePath(dmname.Volume(v.Pool, v.Name)))
	if pid == 0 {
		return ""
	}
	return "/proc/" + strconv.Itoa(pid) + "/root" + dir
}

// RefuseElsewhere refuses a volume that is mounted in another mount namespace.
// That its device is open does not mean so: udev may be probing it, or a
// process may sit on what was unmounted lazily.
func RefuseElsewhere(s *host.System, c *dm.Control, rec refcount.Record, v catalog.Volume) error {
	if !rec.Elsewhere {
		return nil
	}
	pid, dir := MountedBy(ProcTables("/proc"), rec.Dev, c.NodePath(dmname.Volume(v.Pool, v.Name)))
	if pid == 0 && rec.References > 0 {
		dir = rec.MountedOn // in a namespace whose processes are not to be seen from here
	}
	if dir == "" {
		return nil
	}
	return Elsewhere(v.Pool+"/"+v.Name, pid, dir)
}

// Elsewhere is the error of a volume that is mounted in a process's namespace, or,
// where pid is 0, in that of processes that are not to be seen.
func Elsewhere(object string, pid int, dir string) error {
	if pid == 0 {
		return &fault.Error{Object: object, Err: fault.Errorf(fault.ErrBusy, "mounted on %s in another mount namespace", dir),
			Remedy: fault.UnmountElsewhere{Path: dir}}
	}
	return &fault.Error{
		Object: object,
		Err:    fault.Errorf(fault.ErrBusy, "mounted on %s in the mount namespace of process %d", dir, pid),
		Remedy: fault.UnmountElsewhere{Path: dir, PID: pid},
	}
}

// ReadProcTables reads the mount tables that processes see, for many volumes.
func ReadProcTables() []ProcTable { return slices.Collect(ProcTables("/proc")) }
