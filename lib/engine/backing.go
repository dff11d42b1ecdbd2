package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// backingError returns the error of a file or device that cannot carry a part
// of the pool. It is ErrNoBacking if the file or device is not there.
func (p *Pool) backingError(part string, b catalog.Backing, err error) error {
	object := "pool " + p.Name()
	var said *fault.Error
	switch {
	// It names an object already, and what helps.
	case errors.As(err, &said):
		return err
	case errors.Is(err, loop.ErrNoDriver):
		return &fault.Error{
			Object: object,
			Err:    fault.Wrap(fault.ErrNoKernel, err),
			Remedy: fault.Hint(
				"modprobe loop; a container needs /dev/loop-control and the /dev/loop devices"),
		}
	case backing.IsAbsent(err):
		return &fault.Error{
			Object: object,
			Err: fault.Errorf(fault.ErrPoolState, "its %s %s is not there: %w",
				backing.LabelRole(part), b.Kind, fault.Wrap(fault.ErrNoBacking, err)),
			Remedy: backing.AbsentRemedy(b),
		}
	}
	return &fault.Error{
		Object: object,
		Err:    fault.Wrap(fault.ErrPoolState, err),
		Remedy: fault.Hint("give the pool its " + b.Kind + " back; nothing was changed"),
	}
}

// FindDisks returns the catalog's pool with the paths that lead to the pool's
// own disks now. If a path has changed, FindDisks warns and writes the new one
// into the catalog. It returns a pool in files unchanged. The caller holds the
// pool's lock exclusively.
func (p *Pool) FindDisks() (catalog.Pool, error) {
	cfg := p.Catalog.Pool()
	if cfg.Data.Kind != catalog.KindDevice {
		return cfg, nil
	}
	paths, err := backing.FindBackings(cfg)
	if err != nil {
		return cfg, err
	}
	moved := false
	for _, part := range []string{dmname.Data, dmname.Meta} {
		if at := paths[part]; at.Moved {
			moved = true
			p.Sys.Warnf("pool %s: its %s is on %s now, not on %s", p.Name(),
				backing.LabelRole(part), at.Path, backing.BackingOf(cfg, part).Path)
		}
	}
	if !moved {
		return cfg, nil
	}
	// Both paths are written, so that one write of pool.json does for a pool
	// that has moved as a whole.
	rename := func(c *catalog.Pool) {
		c.Data.Path, c.Metadata.Path = paths[dmname.Data].Path, paths[dmname.Meta].Path
	}
	// This fails where /var is read-only, for example. The next activation
	// finds the disks again.
	if err := p.Catalog.SetPool(rename); err != nil {
		p.Sys.Warnf("pool %s: where its disks are was not written down: %v", p.Name(), err)
	}
	rename(&cfg)
	return cfg, nil
}

// RefuseCopy returns an error if the devices that are active under the pool's
// uuid belong to a copy of the pool.
func (p *Pool) RefuseCopy() error { return backing.RefuseCopy(p.DM, p.Catalog.Pool()) }

// ownsLocks reports whether the locks of the pool's name are its own. If a copy
// of the pool is active under the same name, its commands use these locks. The
// lock files have the pool's name, and not its uuid.
func (p *Pool) ownsLocks() bool {
	other := backing.ActiveCopy(p.DM, p.Catalog.Pool())
	return other.Disposable() || other.Name != p.Name()
}

// OwnsDevices reports whether the pool may remove the devices that are active
// under its uuid. It returns true if there are none.
func (p *Pool) OwnsDevices() bool { return backing.ActiveCopy(p.DM, p.Catalog.Pool()).Disposable() }

// RefuseShared returns an error if the pool's catalog is a copy of another
// pool's catalog, and both name the same disks or files. The label on them has
// the name of the pool to which they belong. It reads one label, and the other
// catalogs only if that names another pool. Two active pools over the same
// disks would overwrite each other.
func (p *Pool) RefuseShared() error {
	own := p.Catalog.Pool()
	if l, err := backing.ReadLabel(own.Data.Path); err != nil || l.Pool == own.Name {
		return nil
	}
	names, err := p.Sys.Catalogs().Pools()
	if err != nil {
		return p.Wrap(err)
	}
	for _, name := range names {
		cat, err := p.Sys.Catalogs().Open(name)
		if err != nil || name == own.Name || cat.Pool().UUID != own.UUID {
			continue
		}
		o := cat.Pool()
		if backing.SameFile(o.Data.Path, own.Data.Path) ||
			backing.SameFile(o.Metadata.Path, own.Metadata.Path) {
			return &fault.Error{
				Object: "pool " + own.Name,
				Err: fault.Errorf(fault.ErrPoolState,
					"it is a copy of pool %s, and both name %s and %s as theirs",
					name, own.Data.Path, own.Metadata.Path),
				Remedy: fault.Hint("move the copy out of the way: mv " +
					fault.ShellPath(p.Catalog.Dir()) + " ELSEWHERE"),
			}
		}
	}
	return nil
}

// MakeFile sets the size of a new backing file. The data file is sparse. The
// metadata file gets all its blocks at once: a pool that cannot write its
// metadata is read-only from then on, while a failed write of data fails only
// that write.
func (p *Pool) MakeFile(ctx context.Context, f *os.File, b catalog.Backing, role string) error {
	// This has an effect on an empty file alone, so it comes before the size.
	if err := loop.NoCopyOnWrite(f); err != nil {
		p.Sys.Warnf(
			"pool %s: %v: when the filesystem is full, what is there cannot be overwritten either",
			p.Name(), err)
	}
	size := label.Reserved + b.Size
	// The data takes its blocks as the pool writes to it, so that the
	// filesystem may be full before the pool is.
	if err := f.Truncate(size); err != nil {
		return err
	}
	if role != backing.LabelRole(dmname.Meta) {
		return nil
	}
	return p.Allocate(ctx, f, 0, size)
}

// Allocate allocates the blocks of length bytes at off in a file of the pool's
// metadata. If the filesystem lacks the room, the error is ErrPoolState. It may
// take long, and ends with ctx.
func (p *Pool) Allocate(ctx context.Context, f *os.File, off, length int64) error {
	p.Sys.Stepf("allocating %s for the metadata of pool %s", fault.SizeText(length), p.Name())
	err := loop.Allocate(ctx, f, off, length)
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	dir := fault.ShellPath(filepath.Dir(f.Name()))
	return &fault.Error{
		Object: "pool " + p.Name(),
		Remedy: fault.Sayf("make room (df %s), or choose less with %v", dir,
			fault.OptionMetadataSize),
		Err: fault.Wrap(fault.ErrPoolState,
			fmt.Errorf("metadata: %s wanted at once: %w", fault.SizeText(length), err)),
	}
}

// Under finds the block device below a part of the active pool. It returns an
// error unless that is the device that the catalog names, or a loop device over
// the file that the catalog names. The table of a linear device names what it
// lies on by number. A path may lead elsewhere by now, and a loop device may
// have been attached to another file.
func (p *Pool) Under(part string, b catalog.Backing) (backing.Underneath, error) {
	targets, info, err := p.DM.Table(p.Ref(part))
	if err != nil {
		return backing.Underneath{}, err
	}
	if len(targets) != 1 || targets[0].Type != "linear" {
		return backing.Underneath{}, &fault.Error{
			Object: info.Name,
			Err:    fault.Errorf(fault.ErrPoolState, "somebody has changed its table: %v", targets),
			Remedy: fault.Sayf("%v: the next command makes it anew",
				fault.DeactivatePool{Pool: p.Name()}),
		}
	}
	u := backing.Underneath{Path: b.Path, Loop: b.Kind == catalog.KindFile}
	if u.Dev, u.Offset, err = backing.ParseLinear(targets[0].Params); err != nil {
		return u, err
	}
	if other := backing.CopyBelow(p.Catalog.Pool(), part, targets, info); other != nil {
		return u, other.Err
	}
	// The path of a disk may lead to another device by now.
	if dev, err := backing.NodeDevice(b.Path); u.Loop || err != nil || dev != u.Dev {
		u.Path = backing.DevicePath(u.Dev)
	}
	return u, nil
}
