package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// On a full filesystem pool.json can still be written: a spare file beside it
// has blocks of its own. Without it a delete, which makes room, could not write
// its intent.

// spareSize is how many bytes of pool.json the spare has room for: some hundred
// operations.
const spareSize = 16 << 10

func (c *Catalog) sparePath() string { return filepath.Join(c.Dir(), "."+poolFile+".spare") }

// noRoom tells whether a write failed since the filesystem, or the quota, is
// full.
func noRoom(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// replaceOnFull is replace by means of the spare: b is written into the blocks
// that it has, and the two files change places, so that the old content's
// blocks are the next spare. Until then path is untouched.
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

// overwrite gives f, which is nobody else's by another name, the content b.
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

// keepSpare sees to it that there is a spare with all its blocks. That there is
// no room for one, or no way to allocate it, does no harm now.
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

// dropSpare removes the spare, if there is one.
func (d disk) dropSpare(spare string) error {
	if _, err := os.Lstat(spare); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return d.remove(spare)
}
