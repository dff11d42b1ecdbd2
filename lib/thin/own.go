package thin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// The kernel knows a pool by its uuid, and a copy of the pool has the same: a
// restored backup, a cloned disk, the root filesystem of a chroot or container.
// So what is active under our uuid is ours only where it lies on our own disks
// or files. Every command asks that before it uses an active pool or volume.

// copied is what is active under a pool's uuid and is not this pool.
type copied struct {
	name    string // of the pool that is active
	renamed bool   // it is this pool's own, activated under another name
	orphan  bool   // its file was deleted, and it has this pool's name: it is nobody else's
	err     *Error
}

// activeCopy looks at what is active under the pool's uuid. Nil says that it is the
// pool's own, or nothing. It takes two ioctls of device-mapper, and for a pool in
// files two of loop devices.
func activeCopy(c *dm.Control, cfg catalog.Pool) *copied {
	for _, part := range []string{partData, partMeta} {
		table, info, err := c.Table(dm.ByUUID(partUUID(cfg.UUID, part)))
		if err != nil || !info.Active() {
			continue
		}
		if other := copyBelow(cfg, part, table, info); other != nil {
			return other
		}
	}
	return nil
}

// copyBelow is activeCopy for one part, whose table is read.
func copyBelow(cfg catalog.Pool, part string, table []dm.Target, info dm.Info) *copied {
	if len(table) != 1 || table[0].Type != "linear" {
		return nil // somebody has changed it; that is another trouble
	}
	lower, _, err := parseLinear(table[0].Params)
	if err != nil {
		return nil
	}
	b := cfg.Data
	if part == partMeta {
		b = cfg.Metadata
	}
	other := &copied{name: strings.TrimSuffix(strings.TrimPrefix(info.Name, namePrefix), "@@"+part)}
	object := "pool " + cfg.Name
	on, err := liesOn(cfg, part, b, lower)
	other.orphan = on.deleted && info.Name == partName(cfg.Name, part)
	switch {
	case err != nil:
		other.err = &Error{Object: object, Err: reason(ErrPoolState, "it is active, but what on cannot be seen: %w", err),
			Hint: "a chroot or container needs /dev and /sys; nothing was changed"}
	case !on.ours && absentPath(b.Path):
		other.err = &Error{Object: object, Err: reason(ErrPoolState, "it is active on %s, and its own %s is not there: whether that is this pool or a copy of it cannot be told",
			on, b.Path), Hint: absentHint(b)}
	case !on.ours:
		other.err = &Error{Object: object, Err: reason(ErrPoolState, "a copy of it, pool %s, is active on %s, and this one lies on %s: only one of the two can be active",
			other.name, on, b.Path), Hint: other.hint(cfg.Name)}
	case info.Name != partName(cfg.Name, part):
		other.renamed = true
		other.err = &Error{Object: object, Err: reason(ErrPoolState, "it is active under the name of pool %s, and both have %s", other.name, b.Path),
			Hint: "if pool " + other.name + " was renamed: thin-snap pool deactivate " + cfg.Name}
	default:
		return nil
	}
	return other
}

// inactive is the answer to whoever wants the pool inactive. It is, where the copy
// has another name; the devices of one of the same name are those that are meant.
func (o *copied) inactive(s *System, own string) error {
	if o.name == own {
		return o.err
	}
	s.warn("%v", o.err)
	return nil
}

// hint is how the other one is made inactive.
func (o *copied) hint(own string) string {
	where := ""
	if o.name == own && !o.orphan {
		where = " where the other belongs (another root directory, mount namespace or container)"
	}
	return "to use this one: thin-snap pool deactivate -u " + o.name + where + "; nothing was changed"
}

// disposable tells whether the pool may take the devices down: they are its own,
// or those of a file that it had before.
func (o *copied) disposable() bool { return o == nil || o.renamed || o.orphan }

// refuseCopy refuses to use what is active where that is not this pool's own.
func refuseCopy(c *dm.Control, cfg catalog.Pool) error {
	if other := activeCopy(c, cfg); other != nil {
		return other.err
	}
	return nil
}

func (p *pool) refuseCopy() error { return refuseCopy(p.dm, p.cat.Pool()) }

// ownsLocks tells whether the locks of the pool's name are its own: those of an
// active copy of the same name are in use.
func (p *pool) ownsLocks() bool {
	other := activeCopy(p.dm, p.cat.Pool())
	return other.disposable() || other.name != p.name()
}

// ownsDevices tells whether what is active under the pool's uuid, if anything, may
// be taken down with it.
func (p *pool) ownsDevices() bool { return activeCopy(p.dm, p.cat.Pool()).disposable() }

// refuseShared refuses a pool whose catalog is a copy of another one's that names
// the same disks or files. The label has the name of the one whose they are.
func (p *pool) refuseShared() error {
	own := p.cat.Pool()
	if l, err := readLabel(own.Data.Path); err != nil || l.Pool == own.Name {
		return nil
	}
	names, err := p.sys.catalogs().Pools()
	if err != nil {
		return p.fail(err)
	}
	for _, name := range names {
		cat, err := p.sys.catalogs().Open(name)
		if err != nil || name == own.Name || cat.Pool().UUID != own.UUID {
			continue
		}
		o := cat.Pool()
		if sameFile(o.Data.Path, own.Data.Path) || sameFile(o.Metadata.Path, own.Metadata.Path) {
			return &Error{Object: "pool " + own.Name, Err: reason(ErrPoolState, "it is a copy of pool %s, and both name %s and %s as theirs", name, own.Data.Path, own.Metadata.Path),
				Hint: "move the copy out of the way: mv " + shellPath(p.cat.Dir()) + " ELSEWHERE"}
		}
	}
	return nil
}

// sameFile tells whether two paths lead to one file or device.
func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX != nil || errY != nil {
		return false
	}
	devX, errX := nodeDevice(a)
	devY, errY := nodeDevice(b)
	return os.SameFile(x, y) || errX == nil && errY == nil && devX == devY
}

// lying is what a part of an active pool lies on.
type lying struct {
	name    string // of the disk or file
	ours    bool   // the catalog names it
	deleted bool   // the file has no name any more
}

// String names it for a person.
func (l lying) String() string { return l.name }

// liesOn tells whether lower is what carries a part of the pool: the disk that
// the catalog names, or a loop device over its file.
func liesOn(cfg catalog.Pool, part string, b catalog.Backing, lower dm.DevNo) (lying, error) {
	if b.Kind == catalog.KindFile {
		return liesOnFile(b.Path, lower)
	}
	if dev, err := nodeDevice(b.Path); err == nil && dev == lower {
		return lying{name: b.Path, ours: true}, nil
	}
	on := devicePath(lower)
	// Its name has changed meanwhile, unless what has the name now is ours, too.
	return lying{name: on, ours: carriesPart(cfg, part, on) && !carriesPart(cfg, part, b.Path)}, nil
}

// liesOnFile tells whether lower is a loop device over the very file at path. A
// file that has lost its name is known by what the kernel remembers of that.
func liesOnFile(path string, lower dm.DevNo) (lying, error) {
	if lower.Major != loop.Major {
		return lying{name: devicePath(lower)}, nil
	}
	var own unix.Stat_t
	statErr := unix.Stat(path, &own)
	if statErr != nil && !isAbsent(statErr) {
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
	case statErr == nil && err != nil, nameErr != nil: // a name leads elsewhere in another root directory
		return lying{}, errors.Join(err, nameErr)
	case statErr != nil:
		on.ours = deleted && name == path
	}
	return on, nil
}

// otherwise names a file that is not the one at path, although it may have that
// name, in another root directory or before it was deleted.
func otherwise(on, path string, deleted bool) string {
	switch {
	case deleted:
		return on + ", which was deleted"
	case on == path:
		return "another " + on
	}
	return on
}

// carriesPart tells whether the device or file at path has the label of a part
// of the pool.
func carriesPart(cfg catalog.Pool, part, path string) bool {
	l, err := readLabel(path)
	return err == nil && l.UUID == cfg.UUID && l.Role == labelRole(part)
}

// readLabel reads the label of a file or block device.
func readLabel(path string) (label.Label, error) {
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

// devicePath is the path of a block device by its number, or the number.
func devicePath(dev dm.DevNo) string {
	link, err := os.Readlink("/sys/dev/block/" + dev.String())
	if err != nil {
		return "device " + dev.String()
	}
	return "/dev/" + strings.ReplaceAll(filepath.Base(link), "!", "/") // drivers/base/core.c, device_get_devnode
}
