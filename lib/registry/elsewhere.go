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

// A new mount namespace is a copy of another one. It has a copy of each mount,
// with an ID of its own (unshare(1), a service with PrivateMounts=). Copies are
// not counted: neither a copy nor its unmount changes the references. The
// record of a volume says which mount is counted, and in which namespace that
// mount is. A mount table shows the mounts of one namespace below one root
// directory (chroot(2)). So the counted mount may be missing from our table
// even if it is in our namespace.

// ProcTable has the mounts of block devices that a process sees.
type ProcTable struct {
	Pid    int
	Ns     uint64 // its mount namespace, as mount.NamespaceAt returns it
	Mounts []*mountinfo.Info
}

// ProcTables reads the mount tables that the processes in proc (/proc) see. It
// reads one table for each mount namespace and root directory. It leaves out a
// process that ends before its table is read.
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
				continue // another process may show the same table
			}
			seen[v] = true
			if !yield(ProcTable{pid, v.ns, table.OnDevices()}) {
				return
			}
		}
	}
}

// MountedBy finds a process in whose mount table the device is mounted, and
// returns the process ID and the mount point. It finds the mount by the device
// number dev (MAJOR:MINOR) or, for btrfs, by its source. If no process has such
// a mount, pid is 0.
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

// mountedIn returns the mount point of the device in a mount table, or "" if
// the device is not mounted there.
func mountedIn(table []*mountinfo.Info, dev dm.DevNo, source string) string {
	for _, m := range table {
		if m.Mountpoint != "" && mount.IsOf(m, int(dev.Major), int(dev.Minor), source) {
			return m.Mountpoint
		}
	}
	return ""
}

// IsMountedSomewhere tells whether one of the tables has the mount that the
// record counts. It finds the mount by its ID, which no other mount has. In the
// recorded namespace, unless that is ours, the recorded path is enough: the
// mount may have another ID there.
//
// all says that tables are those of all processes. It is false in a container
// with process IDs of its own, where /proc does not show the other processes.
// Then IsMountedSomewhere believes a record that names another namespace. ours
// is our own namespace, source the path of the volume's node.
func IsMountedSomewhere(tables iter.Seq[ProcTable], all bool, rec refcount.Record, ours uint64,
	source string) bool {
	dev, err := dm.ParseDevNo(rec.Dev)
	if err != nil {
		return false
	}
	for t := range tables {
		for _, m := range t.Mounts {
			samePath := t.Ns == rec.Namespace && t.Ns != ours && m.Mountpoint == rec.MountedOn
			if (m.ID == rec.MountID || samePath) &&
				mount.IsOf(m, int(dev.Major), int(dev.Minor), source) {
				return true
			}
		}
	}
	return rec.Namespace != 0 && rec.Namespace != ours && !all
}

// initialPIDs is the PID namespace that has all processes: PROC_PID_INIT_INO in
// include/linux/proc_ns.h.
const initialPIDs = "pid:[4026531836]"

// ShowsAll tells whether proc (/proc) shows the processes of the whole machine.
func ShowsAll(proc string) bool {
	ns, err := os.Readlink(proc + "/self/ns/pid")
	return err == nil && ns == initialPIDs
}

// PathToMount returns a path to where a volume is mounted. For a mount in
// another mount namespace, that is a path through /proc/PID/root. It returns ""
// if the volume is not mounted, or if no process shows the mount.
func PathToMount(c *dm.Control, rec refcount.Record, v catalog.Volume) string {
	if !rec.Elsewhere {
		return rec.MountedOn
	}
	pid, dir := MountedBy(ProcTables("/proc"), rec.Dev, c.NodePath(dmname.Volume(v.Spec())))
	if pid == 0 {
		return ""
	}
	return "/proc/" + strconv.Itoa(pid) + "/root" + dir
}

// RefuseElsewhere returns an error (fault.ErrBusy) if a volume is mounted in
// another mount namespace. That the device is open does not prove it: udev may
// be probing the device, or a process may still use a filesystem that was
// unmounted lazily.
func RefuseElsewhere(s *host.System, c *dm.Control, rec refcount.Record, v catalog.Volume) error {
	if !rec.Elsewhere {
		return nil
	}
	pid, dir := MountedBy(ProcTables("/proc"), rec.Dev, c.NodePath(dmname.Volume(v.Spec())))
	if pid == 0 && rec.References > 0 {
		dir = rec.MountedOn // in a namespace whose processes our /proc does not show
	}
	if dir == "" {
		return nil
	}
	// Other mounts that a program sees are copies of the machine's.
	if run := runOf("/proc", pid); run != 0 && (dir == s.RunMount || dir == "/") {
		return &fault.Error{Object: v.Spec().String(),
			Err:    fault.Errorf(fault.ErrBusy, "%w: process %d", ErrOfRun, run),
			Remedy: fault.EndRun{PID: run}}
	}
	return Elsewhere(v.Spec().String(), pid, dir)
}

// Elsewhere returns the error for a volume that is mounted on dir in the mount
// namespace of process pid. pid is 0 if our /proc shows no process of that
// namespace.
func Elsewhere(object string, pid int, dir string) error {
	if pid == 0 {
		return &fault.Error{Object: object,
			Err:    fault.Errorf(fault.ErrBusy, "mounted on %s in another mount namespace", dir),
			Remedy: fault.UnmountElsewhere{Path: dir}}
	}
	return &fault.Error{
		Object: object,
		Err: fault.Errorf(fault.ErrBusy, "mounted on %s in the mount namespace of process %d",
			dir, pid),
		Remedy: fault.UnmountElsewhere{Path: dir, PID: pid},
	}
}

// ReadProcTables reads all mount tables at once, for a caller that looks for
// many mounts.
func ReadProcTables() []ProcTable { return slices.Collect(ProcTables("/proc")) }
