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

// RemedyOf returns what the user can do about err: the outermost remedy in
// err's tree. If there is none, it returns what the user can do about one of
// our files or folders that could not be used. It returns nil if it knows no
// remedy.
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

// given returns the outermost remedy that an Error in err's tree carries, or
// nil.
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

// fileRemedy returns a remedy for an error of the files and folders of our
// state, or nil. Errors of other files carry their own remedies.
func fileRemedy(err error) fault.Remedy {
	var path string
	var file *fs.PathError
	var dir *privdir.Error
	switch {
	case errors.As(err, &dir) && dir.Link:
		return fault.Hint(linkHint(dir.Path))
	case errors.As(err, &dir) && dir.Err == nil:
		path = fault.ShellPath(dir.Path)
		return fault.Hint("see who changed it: ls -ld " + path + "; then chown root: " + path +
			" && chmod 0700 " + path)
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

// linkHint suggests a bind mount in place of the symlink at path. Only root can
// change such a mount.
func linkHint(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = "DIR"
	}
	path, target = fault.ShellPath(path), fault.ShellPath(target)
	return "use a bind mount: rm " + path + " && mkdir -m 0700 " + path + " && mount --bind " +
		target + " " + path +
		"; in /etc/fstab: " + target + " " + path + " none bind 0 0"
}
