package catalog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/privdir"
)

// disk does everything that changes the filesystem. Each method does its steps in an order in which a power cut after any of them leaves
// the old state or the new one, and comes back when the new one is durable.
type disk struct {
	before func(step, path string) error // nil but in tests, which stop here as a crash would
}

// step announces a change.
func (d disk) step(step, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(step, path)
}

// replace puts b in path's place: temp file, fsync, rename, fsync of the folder. Until the rename path is untouched, and if it does not
// come to that, as on a full disk, no temp file stays. It has a fixed name, so that what a crash leaves does not pile up: callers hold
// the pool's lock. Where only the last fsync fails, what was there before is put back: an error means the state before, as far as
// anybody can see who does not lose power now.
func (d disk) replace(path string, b []byte) error {
	before, readErr := read(path)
	if err := d.rename(path, b); err != nil {
		return err
	}
	err := d.syncDir(filepath.Dir(path))
	if err == nil || readErr != nil && !os.IsNotExist(readErr) { // what could not be read is no loss
		return err
	}
	return errors.Join(err, d.putBack(path, before))
}

// rename puts b in path's place, which is not durable yet.
func (d disk) rename(path string, b []byte) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	err := d.writeTemp(tmp, b)
	if err == nil {
		err = d.step("rename", path)
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, d.discard(tmp))
	}
	return nil
}

// putBack undoes a replace, as well as it can be done on a disk that fails. A
// file that was not there before is nil.
func (d disk) putBack(path string, before []byte) error {
	if before == nil {
		return d.remove(path)
	}
	if err := d.rename(path, before); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

// writeTemp makes a file and syncs it.
func (d disk) writeTemp(tmp string, b []byte) error {
	if err := d.step("write", tmp); err != nil {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = d.step("sync", tmp)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// discard removes a temp file, if it was made, which it was not on a read-only filesystem.
func (d disk) discard(tmp string) error {
	if d.step("discard", tmp) != nil {
		return nil // crashed
	}
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) && !errors.Is(err, unix.EROFS) {
		return err
	}
	return nil
}

// syncDir makes names in a directory durable: what was made, renamed or unlinked there (fsync(2): the entry in the directory needs an
// fsync of its own).
func (d disk) syncDir(dir string) error {
	if err := d.step("syncdir", dir); err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// remove unlinks a file; one that is gone already is as good, if that is durable.
func (d disk) remove(path string) error {
	if err := d.step("unlink", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

// removeAll removes a file or a folder with all that is in it.
func (d disk) removeAll(path string) error {
	if err := d.step("removeall", path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// mkdir makes a private directory where it is missing and refuses one that is not private.
func (d disk) mkdir(dir string) error {
	if err := d.step("mkdir", dir); err != nil {
		return err
	}
	if _, err := privdir.Make(dir); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(dir))
}

// maxFile bounds what is read of a file, in bytes.
const maxFile = 1 << 20

// read reads a regular file of ours, of bounded size. A symlink in its place is not followed.
func read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return nil, &CorruptError{path, "is not a regular file"}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if reason := privdir.UnfitFile(st); reason != "" {
		return nil, &CorruptError{path, reason}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		return nil, &CorruptError{path, fmt.Sprintf("is larger than %d bytes", maxFile)}
	}
	return b, err
}
