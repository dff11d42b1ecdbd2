package mount

import (
	"fmt"

	"github.com/moby/sys/mountinfo"
)

// Table reads the mounts of this thread's mount namespace, in the order in which
// they lie upon each other.
func Table() ([]*mountinfo.Info, error) {
	table, err := mountinfo.GetMounts(nil)
	if err != nil {
		return nil, fmt.Errorf("mount table: %w", err)
	}
	return table, nil
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

// ByDev lists the mounts of a block device: by its number, or by its name, since
// btrfs shows a number of its own.
func ByDev(table []*mountinfo.Info, major, minor int, source string) []*mountinfo.Info {
	var found []*mountinfo.Info
	for _, m := range table {
		if m.Major == major && m.Minor == minor || m.Source == source {
			found = append(found, m)
		}
	}
	return found
}
