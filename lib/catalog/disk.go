package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
	"thinmount/lib/privdir"
	"thinmount/lib/slotfile"
)

// disk makes all changes of the filesystem. If the power fails after any step
// of a method, either the old state or the new one is left. When a method
// returns nil, the new state is durable; only after rename and removeAll the
// caller has to sync the folder.
type disk struct {
	before atomicfile.Before // nil, except in tests, which stop here as a crash would
}

// step calls the hook of a test before a change.
func (d disk) step(step, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(step, path)
}

// replace replaces the content of path by b: temp file, fsync, rename, fsync of
// the folder. path stays untouched until the rename. If replace does not get as
// far as the rename, on a full disk for example, it leaves no temp file.
//
// The temp file has a fixed name, so that the remains of several crashes do not
// pile up. So the caller holds the lock that keeps other processes from writing
// the same file.
//
// If only the last fsync fails, replace puts the old content back. So an error
// means the old state, as far as anybody can see unless the power fails now.
func (d disk) replace(path string, b []byte) error {
	before, readErr := read(path)
	if err := d.rename(path, b); err != nil {
		return err
	}
	err := d.syncDir(filepath.Dir(path))
	// A file that could not be read cannot be put back.
	if err == nil || readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
		return err
	}
	return errors.Join(err, d.putBack(path, before))
}

// rename replaces the content of path by b, without a sync of the folder.
func (d disk) rename(path string, b []byte) error {
	return atomicfile.Replace(path, b, 0o600, d.before)
}

// place is rename without a sync of the content: after a power cut the file may
// be empty.
func (d disk) place(path string, b []byte) error {
	return atomicfile.Place(path, b, 0o600, d.before)
}

// writeSlot replaces the content of the journal, whose number is number, and
// returns the new number. It makes a new file if number is 0, and if the file
// is not its own: a hard link of it is somebody's backup.
func (d disk) writeSlot(path string, number uint64, b []byte) (uint64, error) {
	if number > 0 {
		f, unfit, err := privdir.OpenFile(path, os.O_RDWR)
		if err != nil {
			return 0, err
		}
		if unfit == "" {
			defer f.Close()
			var st unix.Stat_t
			if err := unix.Fstat(int(f.Fd()), &st); err != nil {
				return 0, &os.PathError{Op: "stat", Path: path, Err: err}
			}
			if st.Nlink == 1 && st.Size == slotfile.Size {
				return slotfile.Write(f, number, b, d.before)
			}
		}
	}
	image, err := slotfile.New(b)
	if err != nil {
		return 0, err
	}
	return 1, d.replace(path, image)
}

// putBack undoes a replace, as far as a failing disk lets it. before is the old
// content, or nil if there was no file.
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

// sync makes the content of a file durable.
func (d disk) sync(path string) error {
	if err := d.step("sync", path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// unlink is remove without a sync of the folder.
func (d disk) unlink(path string) error {
	if err := d.step("unlink", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// remove unlinks a file. If the file does not exist, remove only makes that
// durable.
func (d disk) remove(path string) error {
	if err := d.unlink(path); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

// removeAll removes a file, or a folder with everything in it, without a sync
// of the folder above.
func (d disk) removeAll(path string) error {
	if err := d.step("removeall", path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// mkdir makes a private directory if it does not exist. If one exists that is
// not private, it returns an error.
func (d disk) mkdir(dir string) error {
	if err := d.step("mkdir", dir); err != nil {
		return err
	}
	if _, err := privdir.Make(dir); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(dir))
}

// maxFile is the largest file that the catalog reads, in bytes.
const maxFile = 1 << 20

// read reads a file of the catalog. A file that does not fit is a
// *CorruptError.
func read(path string) ([]byte, error) {
	b, unfit, err := privdir.ReadFile(path, maxFile)
	if unfit != "" {
		return nil, &CorruptError{Path: path, Reason: unfit, unfit: true}
	}
	return b, err
}
