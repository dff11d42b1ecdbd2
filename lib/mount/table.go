package mount

import (
	"os"
	"runtime"
	"slices"

	"thinmount/lib/mountinfo"
)

// Table reads the mounts of this thread's mount namespace that can be reached
// from its root. The kernel writes it in pieces: a mount that is made or moved
// meanwhile may be missing, or its parent.
func Table() (mountinfo.Table, error) {
	file, table, err := openTable()
	if err == nil {
		file.Close()
	}
	return table, err
}

// openTable is Table that leaves the file open.
func openTable() (*os.File, mountinfo.Table, error) {
	runtime.LockOSThread() // what is opened of a thread that ends cannot be read
	defer runtime.UnlockOSThread()
	return mountinfo.Open("/proc/thread-self/mountinfo")
}

// Top is the mount that is seen at dir, which has no symbolic links, or nil. It
// walks as the kernel does, from the root through each mount on the way: the
// order of the table's lines says nothing, since a mount can be moved, or be
// put beneath another (move_mount(2), MOVE_MOUNT_BENEATH). A mount at dir is
// not seen where another one covers it or a folder above it.
func Top(table mountinfo.Table, dir string) *mountinfo.Info {
	// The parent of each of them is among them, if it is in the table at all.
	way := table.OnTheWay(dir)
	var at *mountinfo.Info
	for range way { // no mount is passed twice
		next := nextOn(way, at)
		if next == nil {
			break
		}
		at = next
	}
	if at == nil || at.Mountpoint != dir {
		return nil
	}
	return at
}

// nextOn is the first mount on at that the walk enters. A nil at is where the
// walk begins: the root is a mount whose parent cannot be seen, or a folder of
// such a mount (chroot). What is mounted on the root itself is not entered. A
// mount whose parent is not in the table, since the table changed while it was
// read, counts as one on the root.
func nextOn(way []*mountinfo.Info, at *mountinfo.Info) *mountinfo.Info {
	var next *mountinfo.Info
	root := at == nil || at.Mountpoint == "/"
	for _, m := range way {
		on := at != nil && m.Parent == at.ID || root && !hasParent(way, m)
		if at != nil && m.Mountpoint == "/" {
			continue
		}
		if on && m != at && (next == nil || len(m.Mountpoint) <= len(next.Mountpoint)) {
			next = m
		}
	}
	return next
}

// hasParent tells whether the parent of m is among the mounts on the way.
func hasParent(way []*mountinfo.Info, m *mountinfo.Info) bool {
	return slices.ContainsFunc(way, func(p *mountinfo.Info) bool {
		return p != m && p.ID == m.Parent
	})
}

// UpperFirst sorts mounts of a table, which are in its order, so that each
// stands before those that it lies on. That is the order in which they can be
// unmounted. The depth is bounded, in case the parents of a table that has
// changed meanwhile lead in a circle.
func UpperFirst(table mountinfo.Table, mounts []*mountinfo.Info) []*mountinfo.Info {
	parent := table.Parents()
	depth := make(map[int]int, len(mounts))
	for _, m := range mounts {
		// A mount that is its own parent is the lowest.
		for at, n := m.ID, 0; n <= len(parent); n++ {
			above, known := parent[at]
			if depth[m.ID] = n; !known || above == at {
				break
			}
			at = above
		}
	}
	sorted := slices.Clone(mounts)
	slices.Reverse(sorted)
	slices.SortStableFunc(sorted, func(a, b *mountinfo.Info) int {
		return depth[b.ID] - depth[a.ID]
	})
	return sorted
}

// ByDev lists the mounts of a block device. A device may have several: bind
// mounts, and mounts at other places.
func ByDev(table mountinfo.Table, major, minor int, source string) []*mountinfo.Info {
	var found []*mountinfo.Info
	for _, m := range table.Of(major, minor, source) {
		if IsOf(m, major, minor, source) {
			found = append(found, m)
		}
	}
	return found
}

// IsOf tells whether a mount belongs to a block device: by the device's number,
// or by its name where that can be believed.
func IsOf(m *mountinfo.Info, major, minor int, source string) bool {
	return m.Major == major && m.Minor == minor || m.Source == source && NamesDevice(m)
}

// NamesDevice tells whether the source of a mount is the name of a block device
// that is mounted: where the kernel shows the device's number, and for btrfs,
// which shows a number of its own. Any other filesystem without a device is
// called what its owner likes: fusermount(1) lets each user say
// fsname=/dev/mapper/X.
func NamesDevice(m *mountinfo.Info) bool { return m.Major != 0 || m.FSType == "btrfs" }
