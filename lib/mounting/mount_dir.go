package mounting

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
)

// dirError says what to do about a mount point that cannot be opened: to make it
// helps only where nothing is in its place.
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

// subdirTarget is where mount(8) has us mount what it then shows a folder of
// elsewhere (X-mount.subdir=), in a mount namespace of its own. What umount(8)
// will see has neither this path nor a line in utab; the device goes at its last
// close.
const subdirTarget = "/run/mount/tmptgt"
