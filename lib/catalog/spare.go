package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// pool.json can be written even on a full filesystem: a spare file beside it
// has blocks of its own. Without the spare, a delete, which makes room, could
// not write its intent.

// spareSize is how many bytes of pool.json fit into the spare: some hundred
// intents.
const spareSize = 16 << 10

func (c *Catalog) sparePath() string { return filepath.Join(c.Dir(), "."+poolFile+".spare") }

// noRoom says whether a write failed because the filesystem or the quota is
// full.
func noRoom(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// replaceOnFull is replace by way of the spare. It writes b into the blocks of
// the spare, and then the two files change places: the file with the old
// content is the next spare. path stays untouched until then.
func (d disk) replaceOnFull(path, spare string, b []byte) error {
	if err := d.step("write", spare); err != nil {
		return err
	}
	f, err := os.OpenFile(spare, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	err = overwrite(f, b)
	if err == nil {
		err = d.step("sync", spare)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := d.step("exchange", path); err != nil {
		return err
	}
	err = unix.Renameat2(unix.AT_FDCWD, spare, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
	if err != nil {
		return &os.LinkError{Op: "exchange", Old: spare, New: path, Err: err}
	}
	return d.syncDir(filepath.Dir(path))
}

// overwrite replaces the content of f by b. If f is no regular file, or has
// another name as well (a hard link), it returns an error.
func overwrite(f *os.File, b []byte) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 {
		return &os.PathError{Op: "overwrite", Path: f.Name(), Err: unix.EMLINK}
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(b)))
}

// keepSpare makes sure that a spare with all its blocks exists. It ignores
// errors: a spare that is missing does no harm now.
func (d disk) keepSpare(spare string) {
	var st unix.Stat_t
	err := unix.Lstat(spare, &st)
	isFile := err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink == 1
	if isFile && st.Blocks*512 >= spareSize {
		return
	}
	if d.step("spare", spare) != nil {
		return
	}
	if err == nil {
		os.Remove(spare)
	}
	f, err := os.OpenFile(spare, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if errors.Is(unix.Fallocate(int(f.Fd()), 0, 0, spareSize), unix.EOPNOTSUPP) {
		f.Write(make([]byte, spareSize))
	}
}

// dropSpare removes the spare if it exists.
func (d disk) dropSpare(spare string) error {
	if _, err := os.Lstat(spare); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return d.remove(spare)
}
