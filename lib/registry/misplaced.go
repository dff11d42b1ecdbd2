package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// Misplaced returns the error for a pool's folder that was copied or moved,
// with what helps. The error is of the given kind, and fault.ErrCopy, too, if
// the folder is a copy.
func Misplaced(name string, kind error, m *catalog.MisplacedError) error {
	e := &fault.Error{Object: "pool " + name, Err: fault.Wrap(kind, m)}
	dir, home := fault.ShellPath(m.Dir), fault.ShellPath(filepath.Join(filepath.Dir(m.Dir), m.Pool))
	switch m.Place {
	case catalog.Copied:
		e.Err = fault.Wrap(fault.ErrCopy, e.Err)
		e.Remedy = fault.Sayf("move it out of %s, or remove it: %v",
			fault.ShellPath(filepath.Dir(m.Dir)), fault.DeletePool{Pool: name})
	case catalog.Moved:
		e.Remedy = fault.Hint("move it back: mv " + dir + " " + home)
	default:
		e.Remedy = fault.Hint("a pool has one folder, of its own name: mv " + dir + " ELSEWHERE")
	}
	return e
}

// IsMisplaced tells whether err says that a folder was copied or moved, and so
// is not a pool. A command that works on all pools leaves such a folder out.
func IsMisplaced(err error) bool {
	var m *catalog.MisplacedError
	return errors.As(err, &m)
}

// SkipMisplaced is for a command that works on all pools. If err says that a
// folder was copied or moved, SkipMisplaced warns of the folder and returns
// true. For any other error it returns false.
func SkipMisplaced(s *host.System, err error) bool {
	if !IsMisplaced(err) {
		return false
	}
	s.Warnf("%v (%v)", err, host.RemedyOf(err))
	return true
}

// RefuseAttached returns an error (fault.ErrBusy) if a loop device uses the
// file at path. If folders were moved while a pool was active, the pool may run
// on this file.
func RefuseAttached(path string) error {
	loops, err := loop.Find(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(loops) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return &fault.Error{Object: path,
		Err: fault.Errorf(fault.ErrBusy, "is in use by %s", loops[0].Path),
		Remedy: fault.Hint("losetup -l " + loops[0].Path + " and lsblk " + loops[0].Path +
			" tell for what")}
}

// RemoveCopied removes a backing file if it carries the label of the pool with
// the given uuid. It leaves any other file, and warns of it. If there is no
// file, it returns nil.
func RemoveCopied(s *host.System, path, uuid string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var l label.Label
	if st.Mode().IsRegular() {
		l, err = backing.ReadLabel(path)
	}
	if err != nil || l.UUID != uuid {
		s.Warnf("%s does not carry the pool's label, and stays", path)
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}
