package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/privdir"
)

// RemedyOf returns what helps against err: the first remedy in its tree, outermost
// first; without one, what a file or folder of ours needs that could not be
// used; or nil.
func RemedyOf(err error) fault.Remedy {
	if r := given(err); r != nil {
		return r
	}
	switch {
	case noProc(err), errors.Is(err, mount.ErrNoProc):
		return fault.Hint(procHint)
	case errors.Is(err, unix.EMFILE):
		return fault.Hint("raise the limit of open files: ulimit -n 1024")
	}
	return fileRemedy(err)
}

// given is the first remedy that an Error in err's tree carries.
func given(err error) fault.Remedy {
	if e, ok := err.(*fault.Error); ok && e.Remedy != nil {
		return e.Remedy
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		return given(u.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range u.Unwrap() {
			if r := given(inner); r != nil {
				return r
			}
		}
	}
	return nil
}

// fileRemedy is for the files and folders of our state: the errors of all others
// carry their own remedies.
func fileRemedy(err error) fault.Remedy {
	var path string
	var file *fs.PathError
	var dir *privdir.Error
	switch {
	case errors.As(err, &dir) && dir.Link:
		return fault.Hint(linkHint(dir.Path))
	case errors.As(err, &dir) && dir.Err == nil:
		path = fault.ShellPath(dir.Path)
		return fault.Hint("see who changed it: ls -ld " + path + "; then chown root: " + path + " && chmod 0700 " + path)
	case errors.As(err, &dir):
		path = dir.Path
	case errors.As(err, &file):
		path = file.Path
	default:
		return nil
	}
	whole, folder, path := path, fault.ShellPath(filepath.Dir(path)), fault.ShellPath(path)
	switch {
	case strings.HasPrefix(whole, "/dev/") && errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0:
		return fault.Hint(deviceHint)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fault.Hint("make room for a few kilobytes: df " + folder)
	case errors.Is(err, unix.EROFS):
		return fault.Hint(ReadOnlyHint(filepath.Dir(whole), "/proc/self/mountinfo"))
	case errors.Is(err, unix.EISDIR), errors.Is(err, unix.ELOOP):
		return fault.Hint("it is not thinmount's: ls -ld " + path + ", and move it away")
	}
	return nil
}

// linkHint is what does in place of a symlink: a bind mount, which nobody but
// root can change either.
func linkHint(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = "DIR"
	}
	path, target = fault.ShellPath(path), fault.ShellPath(target)
	return "use a bind mount: rm " + path + " && mkdir -m 0700 " + path + " && mount --bind " + target + " " + path +
		"; in /etc/fstab: " + target + " " + path + " none bind 0 0"
}
