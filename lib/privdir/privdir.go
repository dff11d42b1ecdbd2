// Package privdir makes and checks the directories that hold locks, references
// and catalogs, and checks the files in them.
//
// A program that runs as root trusts what it reads in these directories. So no
// other user may be able to change it: such a directory belongs to the
// effective user, is no symlink, and nobody else may write in it. Do not use
// this package for directories that users are meant to share.
package privdir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Error says why a directory must not hold thinmount's state.
type Error struct {
	Path   string
	Reason string
	Err    error // errno of the system call that failed; nil if Reason says what is wrong
	Link   bool  // the directory is a symlink
}

// Error returns the directory's path and what is wrong with it.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("directory %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("directory %s: %s", e.Path, e.Reason)
}

// Unwrap returns the errno, so that errors.Is finds fs.ErrNotExist for a
// missing directory.
func (e *Error) Unwrap() error { return e.Err }

// Make makes the directory path with mode 0700 if it is missing, but not its
// parents. Then it checks the directory as Check does. made says whether Make
// has made it; the caller may have to sync the parent then. Any number of
// processes may call Make at the same time.
func Make(path string) (made bool, err error) {
	err = os.Mkdir(path, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, &Error{Path: path, Err: cause(err)}
	}
	return err == nil, Check(path)
}

// Check returns an *Error unless path is a directory of the effective user in
// which group and others may not write. A symlink to such a directory is an
// error too. The error for a missing directory is fs.ErrNotExist.
func Check(path string) error {
	return check(path, os.Geteuid())
}

// check is Check for the user uid.
func check(path string, uid int) error {
	st, err := os.Lstat(path)
	if err != nil {
		return &Error{Path: path, Err: cause(err)}
	}
	if reason := unfit(st, uid); reason != "" {
		return &Error{Path: path, Reason: reason, Link: st.Mode()&fs.ModeSymlink != 0}
	}
	return nil
}

// CheckPath returns an *Error if a user other than root and the effective user
// could replace the directory path by another one. path is absolute and has no
// symlinks. Every directory on it must belong to one of these two, and no one
// else may write in it. In those above the last, other users may write if the
// directory has the sticky bit (inode(7)).
func CheckPath(path string) error { return checkPath(path, os.Geteuid()) }

// checkPath is CheckPath for the user uid.
func checkPath(path string, uid int) error {
	for dir, last := path, true; ; dir, last = filepath.Dir(dir), false {
		st, err := os.Lstat(dir)
		if err != nil {
			return &Error{Path: dir, Err: cause(err)}
		}
		reason := unfit(st, uid)
		if owner(st) == 0 {
			reason = unfit(st, 0)
		}
		sticky := st.IsDir() && st.Mode()&fs.ModeSticky != 0
		if reason != "" && (last || !sticky) {
			return &Error{Path: dir, Reason: reason}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// ReadFile reads a file that the program trusts. The file must be a regular
// file of at most limit bytes that belongs to the effective user, and group and
// others must not be able to write to it. If an existing file is not so, unfit
// says why, as in "is not a regular file", and err is nil. ReadFile does not
// follow a symlink and does not wait for the writer of a FIFO. The error for a
// missing file is fs.ErrNotExist.
func ReadFile(path string, limit int) (b []byte, unfit string, err error) {
	f, unfit, err := OpenFile(path, os.O_RDONLY)
	if err != nil || unfit != "" {
		return nil, unfit, err
	}
	defer f.Close()
	b, err = io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, "", err
	}
	if len(b) > limit {
		return nil, tooLarge(limit), nil
	}
	return b, "", nil
}

// OpenFile opens a file with the checks of ReadFile, except that of the size.
// flag is os.O_RDONLY, os.O_WRONLY or os.O_RDWR. It returns no file if unfit is
// not "".
func OpenFile(path string, flag int) (f *os.File, unfit string, err error) {
	f, err = os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	// A symlink, a socket, a directory that cannot be opened for writing.
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.EISDIR) {
		return nil, notRegular, nil
	}
	if err != nil {
		return nil, "", err
	}
	st, err := f.Stat()
	if err == nil {
		unfit = UnfitFile(st)
	}
	if err != nil || unfit != "" {
		f.Close()
		return nil, unfit, err
	}
	return f, "", nil
}

// UnfitFile makes the checks of ReadFile, except that of the size, on a file
// that is open. It returns "" if the file passes, or what is wrong with it.
// Open the file with O_NOFOLLOW|O_NONBLOCK: then a symlink is not followed, and
// a FIFO is not waited for.
func UnfitFile(st fs.FileInfo) string { return unfitFile(st, os.Geteuid()) }

// unfitFile is UnfitFile for the user uid.
func unfitFile(st fs.FileInfo, uid int) string {
	return unfitStat(st.Mode().IsRegular(), owner(st), st.Mode().Perm(), uid)
}

// unfitStat is unfitFile for what stat(2) tells of a file.
func unfitStat(regular bool, owner int, perm fs.FileMode, uid int) string {
	switch {
	case !regular:
		return notRegular
	case owner != uid:
		return fmt.Sprintf("belongs to uid %d, not to uid %d", owner, uid)
	case perm&0o022 != 0:
		return fmt.Sprintf("is writable by others (mode %04o; wanted is 0600)", perm)
	}
	return ""
}

const notRegular = "is not a regular file"

func tooLarge(limit int) string { return fmt.Sprintf("is larger than %d bytes", limit) }

// unfit returns what is wrong with a directory of the user uid, or "".
func unfit(st fs.FileInfo, uid int) string {
	switch owner := owner(st); {
	case st.Mode()&fs.ModeSymlink != 0:
		return "is a symlink, not a directory"
	case !st.IsDir():
		return "is not a directory"
	case owner != uid:
		return fmt.Sprintf("belongs to uid %d, not to uid %d", owner, uid)
	case st.Mode().Perm()&0o022 != 0:
		return fmt.Sprintf("is writable by others (mode %04o; wanted is 0700)", st.Mode().Perm())
	}
	return ""
}

// owner returns the uid of the owner, or -1 if st does not have it.
func owner(st fs.FileInfo) int {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(sys.Uid)
	}
	return -1
}

// cause returns the errno in a *fs.PathError. The *fs.PathError would name the
// path a second time in the text of Error.
func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
