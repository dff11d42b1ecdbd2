package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/label"
)

// HalfMade reports whether a command that made or deleted the pool has died:
// its intent is there, and this command has the pool's lock.
func (p *Pool) HalfMade() bool {
	_, incomplete := p.Catalog.Pool().Incomplete()
	return incomplete
}

// ClearHalfMade removes everything of the pool, and pool.json last. The caller
// holds the pool's lock exclusively. A kill between any two steps leaves
// pool.json with its intent, and the next command begins again: each step takes
// what is gone already for done.
func (p *Pool) ClearHalfMade(ctx context.Context) error {
	p.Sys.Stepf("clearing away pool %s", p.Name())
	if p.OwnsDevices() { // devices of a copy of the pool stay
		if err := p.Dismantle(ctx); err != nil {
			return p.Wrap(err)
		}
	}
	if p.ownsLocks() {
		if err := p.dropLocks(); err != nil {
			return p.Wrap(err)
		}
	}
	for _, part := range []string{dmname.Data, dmname.Meta} {
		var err error
		if b := backing.BackingOf(p.Catalog.Pool(), part); b.Kind == catalog.KindFile {
			err = p.clearFile(b)
		} else {
			err = p.clearDevice(part)
		}
		if err != nil {
			return p.Wrap(err)
		}
	}
	return p.Wrap(p.Catalog.Destroy())
}

// dropLocks removes the lock files of all volumes, also of those that have no
// record. It leaves a lock that is taken. The caller holds the pool's lock, but
// the lock of a volume may be held by a command that waits for the pool's.
func (p *Pool) dropLocks() error {
	traces, err := p.Sys.Refs().Traces(p.Name())
	for volume := range traces {
		if ref, err := p.Sys.Refs().TryLock(p.Volume(volume)); err == nil {
			ref.CloseRemove()
		}
	}
	return err
}

// clearFile removes a backing file and syncs its folder: the file may lie on
// another filesystem than the catalog, and the catalog is removed next. If
// another program has put something in its place, clearFile leaves that alone.
// The label says whose file it is; a path alone does not.
func (p *Pool) clearFile(b catalog.Backing) error {
	path := b.Path
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A killed command may have removed the file just before.
		err = atomicfile.SyncDir(filepath.Dir(path))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		p.Sys.Warnf("pool %s: %s is no backing file, and stays", p.Name(), path)
		return nil
	}
	// Between the two calls another program may have put a FIFO or a link
	// there: neither is waited for or followed.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := label.Read(f)
	ours := err == nil && l.UUID == p.UUID()
	if !ours && errors.Is(err, label.ErrNone) {
		ours, err = p.unlabelled(f, label.Reserved+b.Size)
		if err != nil {
			return err
		}
	}
	if !ours {
		p.Sys.Warnf("pool %s: %s does not carry its label, and stays", p.Name(), path)
		return nil
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// unlabelled reports whether a file is one that CreatePool leaves if it dies
// before it writes the label: an empty file, or zeroes of the full size
// (bytes).
func (p *Pool) unlabelled(f *os.File, size int64) (bool, error) {
	st, err := f.Stat()
	if op, _ := p.Catalog.Pool().Incomplete(); err != nil || op.Op != catalog.OpCreatePool ||
		st.Size() != 0 && st.Size() != size {
		return false, err
	}
	b, err := io.ReadAll(io.LimitReader(f, label.Reserved))
	return len(bytes.Trim(b, "\x00")) == 0, err
}

// clearDevice removes the label from the device of a part, if that is this
// pool's, under whatever path the device is found now. What else is on the
// device stays there: blocks of the pool without its metadata, which nothing
// finds any more.
func (p *Pool) clearDevice(part string) error {
	path := p.OwnDevice(part)
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if l, err := label.Read(f); err != nil || l.UUID != p.UUID() {
		return err
	}
	if err := label.Wipe(f); err != nil {
		return err
	}
	// The first block behind the label. On the metadata device it is the
	// superblock: a later pool would be opened by it, and not be formatted.
	if _, err := f.WriteAt(make([]byte, 4096), label.Reserved); err != nil {
		return err
	}
	return f.Sync()
}

// OwnDevice returns the path of the device that carries a part, or "". It looks
// at the label, since a path may lead to another disk by now.
func (p *Pool) OwnDevice(part string) string {
	cfg := p.Catalog.Pool()
	path := backing.BackingOf(cfg, part).Path
	// The paths of a pool that was being made are still those that it was
	// given.
	if op, _ := cfg.Incomplete(); op.Op != catalog.OpCreatePool {
		if found, err := backing.FindBackings(cfg); err == nil {
			path = found[part].Path
		}
	}
	if !backing.CarriesPart(cfg, part, path) {
		return ""
	}
	return path
}
