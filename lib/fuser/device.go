package fuser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// Device is a block device.
type Device struct {
	Major, Minor int
	Was          string // where its filesystem was mounted; "" if not known
}

// OfDevice lists what holds a block device. First come the kernel's own users:
// devices on it, swap space, loop devices, and overlays with layers below
// d.Was. Then come the processes that have the device open, or a file of the
// filesystem on it. After a lazy unmount, such files may still be open.
//
// OfDevice does not look for mounts of the device. It cannot see that the
// filesystem is frozen: nothing in /proc or /sys shows this. With an error, it
// also returns what it has found so far.
func OfDevice(ctx context.Context, proc string, d Device) ([]Holder, error) {
	return ofDevice(ctx, proc, "/sys", d)
}

// ofDevice is OfDevice with sysfs mounted at sys.
func ofDevice(ctx context.Context, proc, sys string, d Device) ([]Holder, error) {
	found := capped(append(above(sys, d), kernelUsers(proc, sys, d)...), maxKernel)
	s := search{proc: proc, mount: Mount{Major: d.Major, Minor: d.Minor}, device: true}
	processes, err := s.sorted(ctx)
	if err != nil {
		err = fmt.Errorf("who holds device %d:%d: %w", d.Major, d.Minor, err)
	}
	return append(found, processes...), err
}

// above lists the devices that lie on d. dm, md and bcache tell the kernel
// about theirs (block/holder.c, bd_link_disk_holder). A dm device gets its path
// in /dev/mapper.
func above(sys string, d Device) []Holder {
	dir := fmt.Sprintf("%s/dev/block/%d:%d/holders", sys, d.Major, d.Minor)
	names, _ := list(dir)
	var found []Holder
	for _, name := range names {
		path := "/dev/" + name
		if text, err := os.ReadFile(filepath.Join(dir, name, "dm/name")); err == nil {
			path = "/dev/mapper/" + strings.TrimSuffix(string(text), "\n")
		}
		found = append(found, Holder{Command: name, UID: -1, What: Above, Path: path})
	}
	return found
}

// kernelUsers lists the swap spaces, loop devices and overlays on d.
func kernelUsers(proc, sys string, d Device) []Holder {
	var found []Holder
	swaps, _ := os.ReadFile(proc + "/swaps")
	for _, path := range parseSwaps(string(swaps), "partition") {
		if isDevice(path, d) {
			found = append(found, Holder{UID: -1, What: Swap, Path: path})
		}
	}
	for _, l := range loops(sys) {
		if isDevice(l.file, d) {
			found = append(found, Holder{Command: l.name, UID: -1, What: Loop, Path: l.file})
		}
	}
	if d.Was == "" {
		return found
	}
	table, _ := mountinfo.Read(proc + "/self/mountinfo")
	for _, m := range table.All() {
		if m.FSType == "overlay" && hasLayer(m.VFSOptions, d.Was) {
			found = append(found, Holder{UID: -1, What: Overlay, Path: m.Mountpoint})
		}
	}
	return found
}

// isDevice reports whether path is the block device d. It looks only at paths
// below /dev, since no server answers for those.
func isDevice(path string, d Device) bool {
	var st unix.Stat_t
	if !strings.HasPrefix(path, "/dev/") || unix.Stat(path, &st) != nil ||
		st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return false
	}
	major, minor := unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))
	return int(major) == d.Major && int(minor) == d.Minor
}

// hasLayer reports whether the options of an overlay, as in mountinfo, name a
// layer in dir. It does not find a layer whose name has a colon or a comma.
func hasLayer(options, dir string) bool {
	for _, o := range strings.Split(options, ",") {
		key, layers, _ := strings.Cut(o, "=")
		switch strings.TrimSuffix(key, "+") {
		case "lowerdir", "upperdir", "workdir", "datadir":
		default:
			continue
		}
		for _, layer := range strings.Split(layers, ":") {
			if layer = mountinfo.Unescape(layer); layer == dir || under(dir, layer) {
				return true
			}
		}
	}
	return false
}
