package thin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/loop"
)

// absent are the errnos of opening a file or device that is not there, or a
// drive without its medium.
var absent = []error{unix.ENOENT, unix.ENOTDIR, unix.ENXIO, unix.ENODEV, unix.ENOMEDIUM}

// isAbsent tells whether err says that a file or device is not there.
func isAbsent(err error) bool {
	return slices.ContainsFunc(absent, func(errno error) bool { return errors.Is(err, errno) })
}

// absentPath tells whether there is nothing at path, or a device without a
// medium.
func absentPath(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return isAbsent(err)
	}
	dev, err := nodeDevice(path)
	return err == nil && isEmpty(dev)
}

// isEmpty tells whether a block device has no size: a drive without its medium, a
// loop device without a file.
func isEmpty(dev dm.DevNo) bool {
	b, err := os.ReadFile("/sys/dev/block/" + dev.String() + "/size")
	return err == nil && strings.TrimSpace(string(b)) == "0"
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

// notAtPath is the trouble of an inactive pool whose part is not where pool.json
// says.
func notAtPath(part string, b catalog.Backing) string {
	if absentPath(b.Path) {
		return "its " + labelRole(part) + " " + b.Kind + " " + b.Path + " is not there"
	}
	return "its " + labelRole(part) + " is not at " + b.Path
}

func notAtPathHint(pool string, b catalog.Backing) string {
	if b.Kind == catalog.KindDevice {
		return "a disk is known by its label, under any name: thin-snap pool activate " + pool + " looks for it"
	}
	return absentHint(b)
}

// absentHint is what to do about a missing disk or file.
func absentHint(b catalog.Backing) string {
	if b.Kind == catalog.KindDevice {
		return "connect the disk; lsblk -o NAME,SIZE,SERIAL shows those that are there; nothing was changed"
	}
	return "mount the filesystem that it lies on, or restore the file: findmnt -T " + shellPath(filepath.Dir(b.Path)) + "; nothing was changed"
}
