package thin

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
	"thinmount/lib/catalog"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// misplaced puts into words that a folder was copied or moved: of a kind, and
// ErrCopy if it is a copy.
func misplaced(name string, kind error, m *catalog.MisplacedError) error {
	e := &Error{Object: "pool " + name, Err: wrap(kind, m)}
	dir, home := shellPath(m.Dir), shellPath(filepath.Join(filepath.Dir(m.Dir), m.Pool))
	switch m.Place {
	case catalog.Copied:
		e.Err = wrap(ErrCopy, e.Err)
		e.Hint = "move it out of " + shellPath(filepath.Dir(m.Dir)) + ", or remove it: thin-snap pool delete " + name
	case catalog.Moved:
		e.Hint = "move it back: mv " + dir + " " + home
	default:
		e.Hint = "a pool has one folder, of its own name: mv " + dir + " ELSEWHERE"
	}
	return e
}

// IsMisplaced tells whether an error is of a folder that was copied or moved, and
// is no pool: whoever works on all pools leaves it out.
func IsMisplaced(err error) bool {
	var m *catalog.MisplacedError
	return errors.As(err, &m)
}

// skipMisplaced warns of a folder that is no pool, whoever asks for all pools. It
// is false for all other errors.
func (s *System) skipMisplaced(err error) bool {
	if !IsMisplaced(err) {
		return false
	}
	s.warn("%v (%s)", err, Hint(err))
	return true
}

// misplacedFinding is what pool check says of such a folder.
func misplacedFinding(err error) ([]Finding, bool) {
	var m *catalog.MisplacedError
	if !errors.As(err, &m) {
		return nil, false
	}
	return []Finding{{Kind: KindFolder, Object: m.Dir, What: m.Error(), Hint: Hint(err)}}, true
}

// deleteCopy removes the folder of a copied pool, with the files in it. What its
// pool.json names elsewhere is the pool's own.
func (s *System) deleteCopy(ctx context.Context, name string, m *catalog.MisplacedError, withVolumes bool) error {
	lock, err := s.refs().PoolLock(ctx, name, false)
	if err != nil {
		return waitError("pool "+name, err)
	}
	defer lock.Unlock()
	volumes, err := s.catalogs().CopyVolumes(name)
	if err != nil {
		return &Error{Object: "pool " + name, Err: err}
	}
	if len(volumes) > 0 && !withVolumes {
		return HasVolumes(name, volumes)
	}
	s.step("deleting %s, a copy of pool %s", m.Dir, m.Pool)
	files := []string{filepath.Join(m.Dir, "data"), filepath.Join(m.Dir, "metadata")}
	for _, path := range files {
		if err := refuseAttached(path); err != nil {
			return err
		}
	}
	for _, path := range files {
		if err := s.removeCopied(path, m.UUID); err != nil {
			return &Error{Object: "pool " + name, Err: err}
		}
	}
	if err := s.catalogs().DestroyCopy(name); err != nil {
		return &Error{Object: "pool " + name, Err: err}
	}
	return lock.Remove()
}

// refuseAttached refuses a file that is in use: the pool may run on it, where
// folders were moved about meanwhile.
func refuseAttached(path string) error {
	loops, err := loop.Find(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(loops) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return &Error{Object: path, Err: reason(ErrBusy, "is in use by %s", loops[0].Path), Hint: "losetup -l " + loops[0].Path + " and lsblk " + loops[0].Path + " tell for what"}
}

// removeCopied removes a backing file if it has the pool's label.
func (s *System) removeCopied(path, uuid string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var l label.Label
	if st.Mode().IsRegular() {
		l, err = readLabel(path)
	}
	if err != nil || l.UUID != uuid {
		s.warn("%s does not carry the pool's label, and stays", path)
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}
