package mounting

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
)

// dirError returns err, the error of opening the mount point, with what to do.
// It advises mkdir only if nothing exists at that path.
func dirError(dir string, err error) error {
	e := &fault.Error{Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Remedy = fault.Hint("mkdir -p " + fault.ShellPath(dir))
	case errors.Is(err, unix.ENOTDIR):
		e.Remedy = fault.Hint("a volume is mounted on a directory")
	}
	return e
}

// subdirTarget is the directory on which mount(8) has us mount the volume for
// X-mount.subdir=, in a mount namespace of its own. mount(8) then shows a
// folder of that mount elsewhere. What umount(8) will see has neither this path
// nor a line in utab. The kernel removes the device at its last close.
const subdirTarget = "/run/mount/tmptgt"
