package thin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
)

// DeletePool deletes a pool: its devices, its files, its catalog. One with
// volumes is refused unless withVolumes is said, one in use always.
func (s *System) DeletePool(ctx context.Context, name string, withVolumes bool) error {
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := s.openPool(ctx, c, name, exclusive)
		var m *catalog.MisplacedError
		if errors.Is(err, ErrCopy) && errors.As(err, &m) {
			return s.deleteCopy(ctx, name, m, withVolumes)
		}
		if err != nil {
			return err
		}
		defer p.close()
		volumes, err := p.cat.Volumes()
		if err != nil && !withVolumes {
			return corrupt("pool "+name, err)
		}
		if len(volumes) > 0 && !withVolumes {
			var names []string
			for _, v := range volumes {
				names = append(names, v.Name)
			}
			return HasVolumes(name, names)
		}
		if err := p.refuseShared(); err != nil {
			return err
		}
		if p.ownsDevices() {
			if err := p.deactivate(ctx); err != nil {
				return err
			}
		}
		p.warnUnreachable()
		s.step("deleting pool %s", name)
		if err := p.cat.SetPool(func(c *catalog.Pool) { c.Operations = []catalog.Operation{{Op: catalog.OpDeletePool}} }); err != nil {
			return p.fail(err)
		}
		if err := p.clearHalfMade(ctx); err != nil {
			return err
		}
		return p.lock.Remove()
	})
}

// halfMade says that the pool is being made or deleted by a command that, since
// the lock is ours, is dead.
func (p *pool) halfMade() bool {
	_, incomplete := p.cat.Pool().Incomplete()
	return incomplete
}

// clearHalfMade removes all there is of the pool; pool.json goes last.
func (p *pool) clearHalfMade(ctx context.Context) error {
	p.sys.step("clearing away pool %s", p.name())
	if p.ownsDevices() { // those of a copy of the pool stay
		if err := p.dismantle(ctx); err != nil {
			return p.fail(err)
		}
	}
	if p.ownsLocks() {
		if err := p.dropLocks(); err != nil {
			return p.fail(err)
		}
	}
	for _, part := range []string{partData, partMeta} {
		var err error
		if b := backingOf(p.cat.Pool(), part); b.Kind == catalog.KindFile {
			err = p.clearFile(b)
		} else {
			err = p.clearDevice(part)
		}
		if err != nil {
			return p.fail(err)
		}
	}
	return p.fail(p.cat.Destroy())
}

// dropLocks removes the files of all locks of volumes, whoever they were.
func (p *pool) dropLocks() error {
	traces, err := p.sys.refs().Traces(p.name())
	for volume := range traces {
		if ref, err := p.sys.refs().TryLock(p.name(), volume); err == nil {
			ref.CloseRemove()
		}
	}
	return err
}

// clearFile removes a backing file, durably: it may lie on another filesystem than
// the catalog, which forgets it next. What somebody else has put in its place is
// left alone.
func (p *pool) clearFile(b catalog.Backing) error {
	path := b.Path
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = atomicfile.SyncDir(filepath.Dir(path)) // a command that was killed may have removed it just before
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		p.sys.warn("pool %s: %s is no backing file, and stays", p.name(), path)
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := label.Read(f)
	ours := err == nil && l.UUID == p.uuid()
	if !ours && errors.Is(err, label.ErrNone) {
		ours, err = p.unlabelled(f, label.Reserved+b.Size)
		if err != nil {
			return err
		}
	}
	if !ours {
		p.sys.warn("pool %s: %s does not carry its label, and stays", p.name(), path)
		return nil
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// unlabelled tells whether a file is what making the pool leaves when it dies
// before the label is written: nothing, or zeroes of the full size (bytes).
func (p *pool) unlabelled(f *os.File, size int64) (bool, error) {
	st, err := f.Stat()
	if op, _ := p.cat.Pool().Incomplete(); err != nil || op.Op != catalog.OpCreatePool || st.Size() != 0 && st.Size() != size {
		return false, err
	}
	b, err := io.ReadAll(io.LimitReader(f, label.Reserved))
	return len(bytes.Trim(b, "\x00")) == 0, err
}

// clearDevice takes the label off the device of a part, if it is this pool's, by
// whatever name it is there.
func (p *pool) clearDevice(part string) error {
	path := p.ownDevice(part)
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if l, err := label.Read(f); err != nil || l.UUID != p.uuid() {
		return err
	}
	if err := label.Wipe(f); err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, 4096), label.Reserved); err != nil {
		return err
	}
	return f.Sync()
}

// ownDevice is the path of the device that carries a part, or "".
func (p *pool) ownDevice(part string) string {
	cfg := p.cat.Pool()
	path := backingOf(cfg, part).Path
	if op, _ := cfg.Incomplete(); op.Op != catalog.OpCreatePool { // which has not let go of the devices that it was given
		if found, err := findBackings(cfg); err == nil {
			path = found[part].path
		}
	}
	if !carriesPart(cfg, part, path) {
		return ""
	}
	return path
}

// warnUnreachable tells which of the pool's disks and files cannot be cleared,
// since they are not there, or not to be told from a copy.
func (p *pool) warnUnreachable() {
	cfg := p.cat.Pool()
	if cfg.Data.Kind == catalog.KindDevice {
		if _, err := findBackings(cfg); err != nil {
			p.sys.warn("%v: what is on its disks stays there", err)
			return
		}
	}
	for _, part := range []string{partData, partMeta} {
		b := backingOf(cfg, part)
		what := ""
		switch {
		case b.Kind == catalog.KindDevice && p.ownDevice(part) != "", b.Kind == catalog.KindFile && !absentPath(b.Path):
			continue
		case absentPath(b.Path):
			what = "is not there"
		default:
			what = "is another disk"
		}
		p.sys.warn("pool %s: %s %s: what is on the pool's own %s %s stays there", p.name(), b.Path, what, labelRole(part), b.Kind)
	}
}

// HasVolumes is the error of a pool that is not deleted because of its volumes,
// which are named without the pool's name.
func HasVolumes(pool string, volumes []string) error {
	volumes = slices.Sorted(slices.Values(volumes))
	list := strings.Join(volumes[:min(len(volumes), 3)], ", ")
	if len(volumes) > 3 {
		list += ", ..."
	}
	return &Error{Object: "pool " + pool, Err: reason(ErrBusy, "has %s: %s", Count(len(volumes), "volume"), list),
		Hint: "thin-snap pool delete -r " + pool + " deletes them too"}
}
