package backing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// The kernel knows a pool by its uuid. A copy of the pool has the same uuid: a
// restored backup, a cloned disk, the root filesystem of a chroot or container.
// So devices that are active under our uuid are ours only if they lie on our
// own disks or files. Every command checks that before it uses an active pool
// or volume.

// Copied describes devices that are active under a pool's uuid and are not this
// pool's, or have the name of another pool.
type Copied struct {
	Name    string       // the name of the active pool
	Renamed bool         // they are this pool's own, activated under another name
	orphan  bool         // they have this pool's name, and their file was deleted
	Err     *fault.Error // why this pool cannot use them
}

// ActiveCopy looks at the devices that are active under the pool's uuid. It
// returns nil if they are the pool's own, or if there are none. It makes two
// ioctls of device-mapper, and for a pool in files two of loop devices.
func ActiveCopy(c *dm.Control, cfg catalog.Pool) *Copied {
	for _, part := range []string{dmname.Data, dmname.Meta} {
		table, info, err := c.Table(dm.ByUUID(dmname.PartUUID(cfg.UUID, part)))
		if err != nil || !info.Active() {
			continue
		}
		if other := CopyBelow(cfg, part, table, info); other != nil {
			return other
		}
	}
	return nil
}

// CopyBelow is ActiveCopy for one part, whose table the caller has read.
func CopyBelow(cfg catalog.Pool, part string, table []dm.Target, info dm.Info) *Copied {
	if len(table) != 1 || table[0].Type != "linear" {
		return nil // another program has changed the table, which is no matter of copies
	}
	lower, _, err := ParseLinear(table[0].Params)
	if err != nil {
		return nil
	}
	b := cfg.Data
	if part == dmname.Meta {
		b = cfg.Metadata
	}
	other := &Copied{Name: strings.TrimSuffix(
		strings.TrimPrefix(info.Name, dmname.Prefix), "@@"+part)}
	object := "pool " + cfg.Name
	on, err := liesOn(cfg, part, b, lower)
	other.orphan = on.deleted && info.Name == dmname.Part(cfg.Name, part)
	switch {
	case err != nil:
		other.Err = &fault.Error{Object: object,
			Err: fault.Errorf(fault.ErrPoolState, "it is active, but its disks cannot be seen: %w",
				err),
			Remedy: fault.Hint("a chroot or container needs /dev and /sys; nothing was changed")}
	case !on.ours && AbsentPath(b.Path):
		other.Err = &fault.Error{Object: object,
			Err: fault.Errorf(fault.ErrPoolState,
				"it is active on %s, and its own %s is not there: whether that is this pool or a "+
					"copy of it cannot be told",
				on, b.Path),
			Remedy: AbsentRemedy(b)}
	case !on.ours:
		other.Err = &fault.Error{Object: object,
			Err: fault.Errorf(fault.ErrPoolState,
				"a copy of it, pool %s, is active on %s, and this one lies on %s: only one of "+
					"the two can be active",
				other.Name, on, b.Path),
			Remedy: other.remedy(cfg.Name)}
	case info.Name != dmname.Part(cfg.Name, part):
		other.Renamed = true
		other.Err = &fault.Error{Object: object,
			Err: fault.Errorf(fault.ErrPoolState,
				"it is active under the name of pool %s, and both have %s", other.Name, b.Path),
			Remedy: fault.Sayf("if pool %s was renamed: %v", other.Name,
				fault.DeactivatePool{Pool: cfg.Name})}
	default:
		return nil
	}
	return other
}

// Inactive answers a request to deactivate the pool named own, when o is active
// in its place. If o has another name, the pool own is inactive already:
// Inactive warns of o and returns nil. If o has the same name, the user means
// the devices of o, and Inactive returns an error.
func (o *Copied) Inactive(s *host.System, own string) error {
	if o.Name == own {
		return o.Err
	}
	s.Warnf("%v", o.Err)
	return nil
}

// remedy returns how the user makes the other pool inactive, so that the pool
// own can be used.
func (o *Copied) remedy(own string) fault.Remedy {
	where := ""
	if o.Name == own && !o.orphan {
		where = " where the other belongs (another root directory, mount namespace or container)"
	}
	return fault.Sayf("to use this one: %v%s; nothing was changed",
		fault.DeactivatePool{Pool: o.Name, Unmount: true}, where)
}

// Disposable tells whether this pool may remove the active devices. It may if
// they are its own (o is nil, or they have another name), and if they lie on a
// deleted file that was its own.
func (o *Copied) Disposable() bool { return o == nil || o.Renamed || o.orphan }

// RefuseCopy returns an error if the devices that are active under the pool's
// uuid are not the pool's own.
func RefuseCopy(c *dm.Control, cfg catalog.Pool) error {
	if other := ActiveCopy(c, cfg); other != nil {
		return other.Err
	}
	return nil
}

// Below names what a pool lies on, as its catalog has it: the number of each
// disk, and the filesystem and inode of each file. The name is that of one disk
// or file for as long as a device uses it. Below returns "" if a path leads to
// none.
func Below(cfg catalog.Pool) string {
	name := ""
	for _, b := range []catalog.Backing{cfg.Data, cfg.Metadata} {
		var st unix.Stat_t
		if err := unix.Stat(b.Path, &st); err != nil {
			return ""
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFBLK:
			name += fmt.Sprintf("disk %v ", dm.DevNoOf(uint64(st.Rdev)))
		case unix.S_IFREG:
			name += fmt.Sprintf("file %d of %v ", st.Ino, dm.DevNoOf(uint64(st.Dev)))
		default:
			return ""
		}
	}
	return strings.TrimSpace(name)
}

// SameFile tells whether two paths lead to the same file or device.
func SameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX != nil || errY != nil {
		return false
	}
	devX, errX := NodeDevice(a)
	devY, errY := NodeDevice(b)
	return os.SameFile(x, y) || errX == nil && errY == nil && devX == devY
}

// lying says what a part of an active pool lies on.
type lying struct {
	name    string // the path of the disk or file, for a person
	ours    bool   // it is the one that the catalog names
	deleted bool   // the file has no name any more
}

// String returns the name of the disk or file.
func (l lying) String() string { return l.name }

// liesOn tells whether the device lower is what carries a part of the pool: the
// disk that the catalog names, or a loop device over the file that it names.
func liesOn(cfg catalog.Pool, part string, b catalog.Backing, lower dm.DevNo) (lying, error) {
	if b.Kind == catalog.KindFile {
		return liesOnFile(b.Path, lower)
	}
	if dev, err := NodeDevice(b.Path); err == nil && dev == lower {
		return lying{name: b.Path, ours: true}, nil
	}
	on := DevicePath(lower)
	// The disk is ours under a new name if it carries the label of the part. If
	// the disk at the old name carries the label, too, that one is ours.
	return lying{name: on, ours: CarriesPart(cfg, part, on) && !CarriesPart(cfg, part, b.Path)}, nil
}

// liesOnFile tells whether the device lower is a loop device over the file at
// path. If path leads to no file, liesOnFile compares path with the name that
// the kernel remembers: a deleted file of that name was ours.
func liesOnFile(path string, lower dm.DevNo) (lying, error) {
	if lower.Major != loop.Major {
		return lying{name: DevicePath(lower)}, nil
	}
	var own unix.Stat_t
	statErr := unix.Stat(path, &own)
	if statErr != nil && !IsAbsent(statErr) {
		return lying{}, &os.PathError{Op: "stat", Path: path, Err: statErr}
	}
	over, err := loop.Over(lower)
	if err == nil && statErr == nil && over.Is(&own) {
		return lying{name: path, ours: true}, nil
	}
	name, deleted, nameErr := loop.NameOf(lower)
	on := lying{name: otherwise(name, path, deleted), deleted: deleted}
	switch {
	case err == nil && statErr == nil && nameErr != nil:
		on.name = over.Name
	// A name proves nothing: in another root directory it leads elsewhere.
	case statErr == nil && err != nil, nameErr != nil:
		return lying{}, errors.Join(err, nameErr)
	case statErr != nil:
		on.ours = deleted && name == path
	}
	return on, nil
}

// otherwise returns how to name the file on, which is not the one at path. It
// may have the same name: because it is in another root directory, or because
// it was deleted.
func otherwise(on, path string, deleted bool) string {
	switch {
	case deleted:
		return on + ", which was deleted"
	case on == path:
		return "another " + on
	}
	return on
}

// CarriesPart tells whether the device or file at path carries the label of a
// part of the pool.
func CarriesPart(cfg catalog.Pool, part, path string) bool {
	l, err := ReadLabel(path)
	return err == nil && l.UUID == cfg.UUID && l.Role == LabelRole(part)
}

// ReadLabel reads the label of the file or block device at path. The error is
// unix.ENOTBLK if something else is there.
func ReadLabel(path string) (label.Label, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return label.Label{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() && st.Mode().Type() != os.ModeDevice {
		err = &os.PathError{Op: "open", Path: path, Err: unix.ENOTBLK}
	}
	if err != nil {
		return label.Label{}, err
	}
	return label.Read(f)
}

// DevicePath returns the path of a block device, or its number in words if
// sysfs does not show it.
func DevicePath(dev dm.DevNo) string {
	link, err := os.Readlink("/sys/dev/block/" + dev.String())
	if err != nil {
		return "device " + dev.String()
	}
	// A '/' in a device's name is '!' in sysfs (drivers/base/core.c,
	// device_get_devnode).
	return "/dev/" + strings.ReplaceAll(filepath.Base(link), "!", "/")
}
