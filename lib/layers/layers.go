// Package layers finds what is above a block device: the devices that are made
// of it (dm-crypt, LVM, md, partitions, loop devices), in any number of layers,
// and the filesystems that are mounted from these in the caller's mount
// namespace. It reads sysfs and opens no device.
package layers

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// Layer is a device above another one.
type Layer struct {
	Name         string // the kernel's: dm-4, md0, loop1p1
	Major, Minor int
	Mounts       []*mountinfo.Info // of its filesystem, in this mount namespace
	Top          bool              // no other device lies on it
}

// System is the folder in which the kernel shows devices, and the mount table
// that is searched.
type System struct {
	Sys   string // /sys
	Table []*mountinfo.Info
}

// Above lists the layers above a device, each before those below it. A device
// that is removed meanwhile is left out. Above reads sysfs, and /dev for the
// numbers of nodes; it asks no device and no mounted filesystem, which might
// hang.
func (s System) Above(major, minor int) []Layer {
	w := walk{System: s, seen: map[string]bool{}, loops: s.loops()}
	name := s.nameOf(major, minor)
	if name == "" {
		return nil
	}
	w.seen[name] = true
	device := Layer{Name: name, Major: major, Minor: minor, Mounts: s.mountsOf(major, minor)}
	for _, next := range w.above(device) {
		w.visit(next)
	}
	return w.found
}

// walk visits each device once, and appends it to found after those above it.
type walk struct {
	System
	seen  map[string]bool
	loops []loopDevice
	found []Layer
}

func (w *walk) visit(name string) {
	if w.seen[name] {
		return
	}
	w.seen[name] = true
	l := Layer{Name: name}
	if !w.number(&l) {
		return
	}
	l.Mounts = w.mountsOf(l.Major, l.Minor)
	above := w.above(l)
	l.Top = len(above) == 0
	for _, next := range above {
		w.visit(next)
	}
	w.found = append(w.found, l)
}

// above are the names of what lies on a layer.
func (w *walk) above(l Layer) []string { return append(w.holders(l.Name), w.loopsOn(l)...) }

// nameOf is the kernel's name of a device.
func (s System) nameOf(major, minor int) string {
	number := strconv.Itoa(major) + ":" + strconv.Itoa(minor)
	link, err := os.Readlink(filepath.Join(s.Sys, "dev/block", number))
	if err != nil {
		return ""
	}
	return filepath.Base(link)
}

// number reads a device's number.
func (s System) number(l *Layer) bool {
	text, err := os.ReadFile(filepath.Join(s.Sys, "class/block", l.Name, "dev"))
	if err != nil {
		return false
	}
	major, minor, _ := strings.Cut(strings.TrimSpace(string(text)), ":")
	var errs [2]error
	l.Major, errs[0] = strconv.Atoi(major)
	l.Minor, errs[1] = strconv.Atoi(minor)
	return errs == [2]error{}
}

// holders are the devices that are made of one, and its partitions.
func (s System) holders(name string) (names []string) {
	dir := filepath.Join(s.Sys, "class/block", name)
	names = namesIn(filepath.Join(dir, "holders"))
	for _, part := range namesIn(dir) {
		if !strings.HasPrefix(part, name) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(dir, part, "partition")); err == nil {
			names = append(names, part)
		}
	}
	return names
}

// namesIn lists a folder in order. Without the folder there are none.
func namesIn(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	slices.Sort(names)
	return names
}

// mountsOf are the mounts of a device's filesystem. Btrfs has an anonymous
// device number in the mount table: there its device is found by name
// (fs/btrfs/super.c, btrfs_show_devname).
func (s System) mountsOf(major, minor int) (found []*mountinfo.Info) {
	for _, m := range s.Table {
		if m.Major == major && m.Minor == minor ||
			m.FSType == "btrfs" && isBlock(m.Source, major, minor) {
			found = append(found, m)
		}
	}
	return found
}

// isBlock reports whether a path below /dev leads to that block device.
func isBlock(path string, major, minor int) bool {
	var st unix.Stat_t
	return strings.HasPrefix(path, "/dev/") && unix.Stat(path, &st) == nil &&
		st.Mode&unix.S_IFMT == unix.S_IFBLK && unix.Major(uint64(st.Rdev)) == uint32(major) &&
		unix.Minor(uint64(st.Rdev)) == uint32(minor)
}

// loopDevice is an attached loop device, and the path of its file.
type loopDevice struct{ name, file string }

// loops lists the loop devices. The folder holders of sysfs does not have them.
func (s System) loops() (all []loopDevice) {
	for _, name := range namesIn(filepath.Join(s.Sys, "block")) {
		if !strings.HasPrefix(name, "loop") {
			continue
		}
		// A loop device without a file has no such file either.
		text, err := os.ReadFile(filepath.Join(s.Sys, "block", name, "loop/backing_file"))
		if err == nil {
			all = append(all, loopDevice{name, strings.TrimSuffix(string(text), "\n")})
		}
	}
	return all
}

// loopsOn are the loop devices over a device, or over a file in its filesystem.
func (w *walk) loopsOn(l Layer) (names []string) {
	for _, d := range w.loops {
		if isBlock(d.file, l.Major, l.Minor) {
			names = append(names, d.name)
			continue
		}
		at := w.mountAt(d.file)
		for _, m := range l.Mounts {
			if m == at {
				names = append(names, d.name)
				break
			}
		}
	}
	return names
}

// mountAt is the mount that a path is in: the one with the longest mount point,
// and the last of several at the same.
func (s System) mountAt(path string) *mountinfo.Info {
	var at *mountinfo.Info
	for _, m := range s.Table {
		folder := strings.TrimSuffix(m.Mountpoint, "/") + "/"
		inside := path == m.Mountpoint || strings.HasPrefix(path, folder)
		if inside && (at == nil || len(m.Mountpoint) >= len(at.Mountpoint)) {
			at = m
		}
	}
	return at
}
