package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/atomicfile"
	"thinmount/lib/privdir"
)

// disk does everything that changes the filesystem. Each method does its steps
// in an order in which a power cut after any of them leaves the old state or
// the new one, and comes back when the new one is durable.
type disk struct {
	before atomicfile.Before // nil but in tests, which stop here as a crash would
}

// step announces a change.
func (d disk) step(step, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(step, path)
}

// replace puts b in path's place: temp file, fsync, rename, fsync of the
// folder. Until the rename path is untouched, and if it does not come to that,
// as on a full disk, no temp file stays. It has a fixed name, so that what a
// crash leaves does not pile up: callers hold the pool's lock. Where only the
// last fsync fails, what was there before is put back: an error means the state
// before, as far as anybody can see who does not lose power now.
func (d disk) replace(path string, b []byte) error {
	before, readErr := read(path)
	if err := d.rename(path, b); err != nil {
		return err
	}
	err := d.syncDir(filepath.Dir(path))
	// A file that could not be read is not put back.
	if err == nil || readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
		return err
	}
	return errors.Join(err, d.putBack(path, before))
}

// rename puts b in path's place, which is not durable yet.
func (d disk) rename(path string, b []byte) error {
	return atomicfile.Replace(path, b, 0o600, d.before)
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

// syncDir makes the names in a folder durable.
func (d disk) syncDir(dir string) error {
	if err := d.step("syncdir", dir); err != nil {
		return err
	}
	return atomicfile.SyncDir(dir)
}

// remove unlinks a file; one that is gone already is as good, if that is
// durable.
func (d disk) remove(path string) error {
	if err := d.step("unlink", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
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

// mkdir makes a private directory where it is missing and refuses one that is
// not private.
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

// read reads a file of ours.
func read(path string) ([]byte, error) {
	b, unfit, err := privdir.ReadFile(path, maxFile)
	if unfit != "" {
		return nil, &CorruptError{path, unfit}
	}
	return b, err
}
