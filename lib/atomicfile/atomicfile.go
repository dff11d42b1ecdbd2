// Package atomicfile replaces a file as a whole. A reader finds the old content
// or the new one, after a crash, too.
//
// It is not github.com/google/renameio for two reasons. The temp file has a
// fixed name, so that writers who are killed leave one file at most, which the
// next write uses again and which a search for leftovers knows by its name;
// renameio's names are random. And a test can stop between any two steps, as a
// crash would; renameio syncs and renames in one call.
//
// Do not use it where two writers may come at once: callers hold a lock. The
// new name is not durable at return, which matters on a disk: SyncDir makes it
// so.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Before is called before each step: "write", "sync", "rename", and "discard"
// after one of them has failed, with the path that the step changes. An error
// of it is that of the step. Programs have nil; tests stop here.
type Before func(step, path string) error

func (b Before) step(step, path string) error {
	if b == nil {
		return nil
	}
	return b(step, path)
}

// Temp is the path of the temp file by which Replace writes path: ".NAME.tmp"
// in the same folder.
func Temp(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
}

// Replace puts b, with the permissions mode, in the place of the file path, or
// of none: temp file, fsync, rename. On error path is untouched, and the temp
// file is removed, also on a full disk. A symlink in the place of the temp file
// is refused.
func Replace(path string, b []byte, mode fs.FileMode, before Before) error {
	return replace(path, b, mode, true, before)
}

// Place is Replace without the fsync. After a power cut the file may have its
// old content, or the new one, or be empty or damaged. It is for content that
// the caller has elsewhere, too.
func Place(path string, b []byte, mode fs.FileMode, before Before) error {
	return replace(path, b, mode, false, before)
}

func replace(path string, b []byte, mode fs.FileMode, durable bool, before Before) error {
	tmp := Temp(path)
	err := write(tmp, b, mode, durable, before)
	if err == nil {
		err = before.step("rename", path)
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		return nil
	}
	if e := discard(tmp, before); e != nil {
		err = errors.Join(err, e)
	}
	return err
}

// write makes the temp file, or takes one that is left, and syncs it if it is
// to be durable.
func write(tmp string, b []byte, mode fs.FileMode, durable bool, before Before) error {
	if err := before.step("write", tmp); err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(tmp, flags, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil && durable {
		err = before.step("sync", tmp)
	}
	if err == nil && durable {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// discard removes the temp file. There is none where it could not be made, as
// on a read-only filesystem.
func discard(tmp string, before Before) error {
	if before.step("discard", tmp) != nil {
		return nil // crashed
	}
	err := os.Remove(tmp)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EROFS) {
		return nil
	}
	return err
}

// SyncDir makes the names in a folder durable: what was made, renamed or
// unlinked there. The fsync of a file does not do that (fsync(2)).
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
