package thin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/loop"
)

// absent are the errnos of opening a file or device that is not there, or a
// drive without its medium.
var absent = []error{unix.ENOENT, unix.ENOTDIR, unix.ENXIO, unix.ENODEV, unix.ENOMEDIUM}

// isAbsent tells whether err says that a file or device is not there.
func isAbsent(err error) bool {
	return slices.ContainsFunc(absent, func(errno error) bool { return errors.Is(err, errno) })
}

// absentPath tells whether there is nothing at path.
func absentPath(path string) bool {
	_, err := os.Stat(path)
	return isAbsent(err)
}

// backingError is the error of a file or device that cannot carry a part of the
// pool. One that is not there is ErrNoBacking.
func (p *pool) backingError(part string, b catalog.Backing, err error) error {
	object := "pool " + p.name()
	var said *Error
	switch {
	case errors.As(err, &said):
		return err
	case errors.Is(err, loop.ErrNoDriver):
		return &Error{Object: object, Err: wrap(ErrNoKernel, err), Hint: "modprobe loop; a container needs /dev/loop-control and the /dev/loop devices"}
	case isAbsent(err):
		return &Error{Object: object, Err: reason(ErrPoolState, "its %s %s is not there: %w", labelRole(part), b.Kind, wrap(ErrNoBacking, err)),
			Hint: absentHint(b)}
	}
	return &Error{Object: object, Err: wrap(ErrPoolState, err), Hint: "give the pool its " + b.Kind + " back; nothing was changed"}
}

// absentHint is what to do about a missing disk or file.
func absentHint(b catalog.Backing) string {
	if b.Kind == catalog.KindDevice {
		return "connect the disk; lsblk -o NAME,SIZE,SERIAL shows those that are there; nothing was changed"
	}
	return "mount the filesystem that it lies on, or restore the file: findmnt -T " + shellPath(filepath.Dir(b.Path)) + "; nothing was changed"
}
