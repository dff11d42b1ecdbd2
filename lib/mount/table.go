package mount

import (
	"runtime"

	"thinmount/lib/mountinfo"
)

// Table reads the mounts of this thread's mount namespace, in the order in which
// they lie upon each other.
func Table() ([]*mountinfo.Info, error) {
	runtime.LockOSThread() // what is opened of a thread that ends cannot be read
	defer runtime.UnlockOSThread()
	return mountinfo.Read("/proc/thread-self/mountinfo")
}

// Top is the mount that is seen at dir, which has no symbolic links, or nil.
func Top(table []*mountinfo.Info, dir string) *mountinfo.Info {
	for i := len(table) - 1; i >= 0; i-- {
		if table[i].Mountpoint == dir {
			return table[i]
		}
	}
	return nil
}

// ByDev lists the mounts of a block device.
func ByDev(table []*mountinfo.Info, major, minor int, source string) []*mountinfo.Info {
	var found []*mountinfo.Info
	for _, m := range table {
		if IsOf(m, major, minor, source) {
			found = append(found, m)
		}
	}
	return found
}

// IsOf tells whether a mount is of a block device: by the device's number, or by
// its name where that can be believed.
func IsOf(m *mountinfo.Info, major, minor int, source string) bool {
	return m.Major == major && m.Minor == minor || m.Source == source && NamesDevice(m)
}

// NamesDevice tells whether the source of a mount is the name of a block device
// that is mounted: where the kernel shows the device's number, and for btrfs, which
// shows a number of its own. Any other filesystem without a device is called what
// its owner likes: fusermount(1) lets each user say fsname=/dev/mapper/X.
func NamesDevice(m *mountinfo.Info) bool { return m.Major != 0 || m.FSType == "btrfs" }
