package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/freeze"
	"thinmount/lib/host"
	"thinmount/lib/layers"
	"thinmount/lib/mount"
)

// above is what lies on an active volume, if other devices are made of the
// volume's device: LUKS, LVM, a partition, a loop device. When the kernel
// suspends the volume, it freezes the filesystem on the volume itself, and none
// of the filesystems on these devices.
type above struct {
	Dirs []*os.File // one of each mounted filesystem, opened with O_PATH, topmost first
	Bare []string   // kernel names of devices in use without a mounted filesystem
}

// LookAbove finds what lies on an active volume. The caller closes the result.
// The result is empty if the volume is inactive, or if its device or the mount
// table cannot be read.
func LookAbove(s *host.System, c *dm.Control, v catalog.Volume) (a above) {
	info, err := c.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	if err != nil || !info.Active() {
		return a
	}
	table, err := mount.Table()
	if err != nil {
		return a
	}
	for _, l := range (layers.System{Sys: "/sys", Table: table.All()}).Above(
		int(info.Dev.Major), int(info.Dev.Minor)) {
		if f := openLayer(l); f != nil {
			a.Dirs = append(a.Dirs, f)
		} else if l.Top && inUse(c, l) {
			a.Bare = append(a.Bare, l.Name)
		}
	}
	return a
}

// Close closes the folders.
func (a above) Close() {
	for _, f := range a.Dirs {
		f.Close()
	}
}

// openLayer opens a folder of the filesystem on a layer. It tries the mounts in
// this mount namespace first, then a mount in the namespace of another process.
// It returns nil if it cannot open any. It sends no request to the filesystem,
// which may hang.
func openLayer(l layers.Layer) *os.File {
	open := func(dir string) *os.File {
		f, err := host.OpenFolder(dir)
		if err != nil {
			return nil
		}
		return f
	}
	for _, m := range l.Mounts {
		if f := open(m.Mountpoint); f != nil {
			return f
		}
	}
	dev := dm.DevNo{Major: uint32(l.Major), Minor: uint32(l.Minor)}
	if pid, dir := MountedBy(ProcTables("/proc"), dev.String(), "/dev/"+l.Name); pid != 0 {
		return open(fmt.Sprintf("/proc/%d/root%s", pid, dir))
	}
	return nil
}

// inUse tells whether somebody has the device of a layer open. Only
// device-mapper tells how often a device is open, so a device of another kind
// counts as in use.
func inUse(c *dm.Control, l layers.Layer) bool {
	if !strings.HasPrefix(l.Name, "dm-") {
		return true
	}
	info, err := c.Info(dm.ByDev(dm.DevNo{Major: uint32(l.Major), Minor: uint32(l.Minor)}))
	return err == nil && info.OpenCount > 0
}

// FrozenMark returns the path of the file that says that a snapshot of the
// volume may have frozen filesystems above it. A snapshot makes the file before
// it freezes them, and removes it after it has thawed them. A command that
// finds the file while it holds the volume's lock thaws them: the snapshot that
// made the file has ended without doing so.
func FrozenMark(s *host.System, v catalog.Volume) string {
	return filepath.Join(s.RunDir, "frozen", v.Pool+"@"+v.Name)
}

// IsMarked tells whether the file at FrozenMark exists.
func IsMarked(s *host.System, v catalog.Volume) bool {
	_, err := os.Lstat(FrozenMark(s, v))
	return err == nil
}

// Mark makes the file at FrozenMark. A snapshot calls it before it freezes
// anything, so that nothing stays frozen without the file.
func Mark(s *host.System, v catalog.Volume) error {
	path := FrozenMark(s, v)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, nil, 0o600)
	}
	return err
}

// thawLeft thaws the filesystems that a killed snapshot may have left frozen
// above a volume, and removes the file at FrozenMark. The caller holds the
// volume's lock.
func thawLeft(s *host.System, c *dm.Control, v catalog.Volume) error {
	a := LookAbove(s, c, v)
	defer a.Close()
	object := v.Spec().String()
	s.Warnf("%s: thawing what a killed snapshot may have left frozen on it", object)
	if err := freeze.Thaw(a.Dirs); err != nil {
		return &fault.Error{Object: object, Err: err,
			Remedy: fault.Hint("fsfreeze -u DIR, where its filesystems are mounted")}
	}
	return os.Remove(FrozenMark(s, v))
}
