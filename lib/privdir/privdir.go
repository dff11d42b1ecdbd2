// Package privdir makes and checks the directories that hold locks, references
// and catalogs, and checks the files in them.
//
// A program that runs as root and believes what it reads there must not be fed
// by somebody else: such a directory is ours, is no symlink, and nobody else
// may write in it. Do not use it for directories that users are meant to share.
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

// Error says what makes a directory unfit to hold our state.
type Error struct {
	Path   string
	Reason string
	Err    error // errno of the system call, or nil when the directory was read but is unfit
	Link   bool  // it is a symlink
}

// Error names the directory first.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("directory %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("directory %s: %s", e.Path, e.Reason)
}

// Unwrap gives the errno, so that a missing directory is fs.ErrNotExist.
func (e *Error) Unwrap() error { return e.Err }

// Make makes the directory path with mode 0700 where it is missing (not its
// parents), then checks it as Check does. made tells whether the directory is
// new, for callers that have to sync its parent. Any number of processes may do
// so at once.
func Make(path string) (made bool, err error) {
	err = os.Mkdir(path, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, &Error{Path: path, Err: cause(err)}
	}
	return err == nil, Check(path)
}

// Check refuses path with an *Error unless it is a directory (no symlink to
// one) of the effective user in which group and others may not write. A missing
// directory is fs.ErrNotExist.
func Check(path string) error {
	return check(path, os.Geteuid())
}

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

// CheckPath refuses an absolute path without symlinks with an *Error if
// somebody but root and the effective user could put another directory in its
// place: all directories on it are theirs, and nobody else may write in them.
// Above the last one, the sticky bit will do (inode(7)).
func CheckPath(path string) error { return checkPath(path, os.Geteuid()) }

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

// ReadFile reads a file that is to be believed: a regular file of the effective
// user in which group and others may not write, of limit bytes at most. For a
// file that is there and is not so, unfit says why, as in "is not a regular
// file". No symlink is followed, and no FIFO waited for. A missing file is
// fs.ErrNotExist.
func ReadFile(path string, limit int) (b []byte, unfit string, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) { // a symlink, a socket
		return nil, "is not a regular file", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if unfit := UnfitFile(st); unfit != "" {
		return nil, unfit, nil
	}
	b, err = io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, "", err
	}
	if len(b) > limit {
		return nil, fmt.Sprintf("is larger than %d bytes", limit), nil
	}
	return b, "", nil
}

// UnfitFile is the check of ReadFile for a file that was opened, or "" where it
// passes. Open it with O_NOFOLLOW|O_NONBLOCK, so that neither a symlink nor a
// FIFO leads further.
func UnfitFile(st fs.FileInfo) string { return unfitFile(st, os.Geteuid()) }

func unfitFile(st fs.FileInfo, uid int) string {
	switch owner := owner(st); {
	case !st.Mode().IsRegular():
		return "is not a regular file"
	case owner != uid:
		return fmt.Sprintf("belongs to uid %d, not to uid %d", owner, uid)
	case st.Mode().Perm()&0o022 != 0:
		return fmt.Sprintf("is writable by others (mode %04o; wanted is 0600)", st.Mode().Perm())
	}
	return ""
}

// unfit says what is wrong with a directory, or nothing.
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

func owner(st fs.FileInfo) int {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(sys.Uid)
	}
	return -1
}

// cause takes the errno out of a *fs.PathError, whose path would otherwise be
// said twice.
func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
