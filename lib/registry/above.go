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

// above is what lies on a volume that carries other devices: LUKS, LVM, a
// partition, a loop device. To suspend the volume freezes the filesystem on the
// volume itself and none of these.
type above struct {
	Dirs []*os.File // O_PATH: of each mounted filesystem, the topmost first
	Bare []string   // names of devices in use that no mounted filesystem lies on
}

// LookAbove finds what lies on an active volume.
func LookAbove(s *host.System, c *dm.Control, v catalog.Volume) (a above) {
	info, err := c.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	if err != nil || !info.Active() {
		return a
	}
	table, err := mount.Table()
	if err != nil {
		return a
	}
	for _, l := range (layers.System{Sys: "/sys", Table: table}).Above(int(info.Dev.Major), int(info.Dev.Minor)) {
		if f := openLayer(l); f != nil {
			a.Dirs = append(a.Dirs, f)
		} else if l.Top && inUse(c, l) {
			a.Bare = append(a.Bare, l.Name)
		}
	}
	return a
}

func (a above) Close() {
	for _, f := range a.Dirs {
		f.Close()
	}
}

// openLayer opens a folder of the layer's filesystem, here or in the mount
// namespace of another process, and asks the filesystem for nothing.
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

// inUse says whether somebody has a layer's device open; of what is no
// device-mapper device nobody can tell.
func inUse(c *dm.Control, l layers.Layer) bool {
	if !strings.HasPrefix(l.Name, "dm-") {
		return true
	}
	info, err := c.Info(dm.ByDev(dm.DevNo{Major: uint32(l.Major), Minor: uint32(l.Minor)}))
	return err == nil && info.OpenCount > 0
}

// FrozenMark is the file that says that a snapshot of a volume may have frozen
// filesystems above it. It is there while they are frozen: whoever finds it with
// the volume's lock free thaws them.
func FrozenMark(s *host.System, v catalog.Volume) string {
	return filepath.Join(s.RunDir, "frozen", v.Pool+"@"+v.Name)
}

// IsMarked says whether the mark is there.
func IsMarked(s *host.System, v catalog.Volume) bool {
	_, err := os.Lstat(FrozenMark(s, v))
	return err == nil
}

// Mark makes the mark, before anything is frozen.
func Mark(s *host.System, v catalog.Volume) error {
	path := FrozenMark(s, v)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, nil, 0o600)
	}
	return err
}

// thawLeft thaws what a killed snapshot has left frozen above a volume. The caller
// has the volume's lock.
func thawLeft(s *host.System, c *dm.Control, v catalog.Volume) error {
	a := LookAbove(s, c, v)
	defer a.Close()
	s.Warnf("%s/%s: thawing what a killed snapshot may have left frozen on it", v.Pool, v.Name)
	if err := freeze.Thaw(a.Dirs); err != nil {
		return &fault.Error{Object: v.Pool + "/" + v.Name, Err: err, Remedy: fault.Hint("fsfreeze -u DIR, where its filesystems are mounted")}
	}
	return os.Remove(FrozenMark(s, v))
}
