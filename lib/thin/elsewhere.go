package thin

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"thinmount/lib/catalog"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
)

// refuseElsewhere refuses a volume that is mounted in another mount namespace.
// That its device is open does not mean so: udev may be probing it, or a
// process may sit on what was unmounted lazily.
func (m *mounting) refuseElsewhere(rec refcount.Record, v catalog.Volume) error {
	source := m.c.NodePath(volumeName(v.Pool, v.Name))
	pid, dir := mountedBy("/proc", rec.Dev, source)
	if pid == 0 {
		return nil
	}
	return elsewhere(v.Pool+"/"+v.Name, pid, dir)
}

// elsewhere is the error of a volume that is mounted in a process's namespace.
func elsewhere(object string, pid int, dir string) error {
	return &Error{
		Object: object,
		Err:    reason(ErrBusy, "mounted on %s in the mount namespace of process %d, and a volume has one mount path", dir, pid),
		Hint:   "nsenter -m -t " + strconv.Itoa(pid) + " umount " + shellPath(dir),
	}
}

// mountedBy finds a process in whose mount namespace the device is mounted,
// looking at each namespace once. proc is /proc.
func mountedBy(proc, dev, source string) (pid int, dir string) {
	tables, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "mountinfo"))
	seen := map[string]bool{}
	for _, table := range tables {
		home := filepath.Dir(table)
		ns, err := os.Readlink(filepath.Join(home, "ns", "mnt"))
		if err != nil || seen[ns] {
			continue
		}
		seen[ns] = true
		if dir = mountedIn(table, dev, source); dir != "" {
			pid, _ = strconv.Atoi(filepath.Base(home))
			return pid, dir
		}
	}
	return 0, ""
}

// mountedIn is where a mount table has the device, by its number or, for btrfs,
// by its source.
func mountedIn(table, dev, source string) string {
	var major, minor int
	if _, err := fmt.Sscanf(dev, "%d:%d", &major, &minor); err != nil {
		return ""
	}
	all, err := mountinfo.Read(table)
	if err != nil {
		return "" // the process has ended
	}
	for _, m := range mount.ByDev(all, major, minor, source) {
		if m.Mountpoint != "" {
			return m.Mountpoint
		}
	}
	return ""
}
