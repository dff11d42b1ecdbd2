package mount

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Detach unmounts, by its ID, a mount that was just made, even if its directory
// has been moved since. The kernel shuts the filesystem down at its last close:
// a plain umount2(2) would fail where another program has looked into the mount
// already (an indexer, udev), and leave it.
// Detach returns nil if the mount is gone already. It leaves a mount that
// another mount hides, and returns ErrMoved.
func Detach(id int) error {
	m, err := byID(id)
	// The table has no such ID: somebody else has unmounted it.
	if errors.Is(err, unix.EINVAL) {
		return nil
	}
	if err != nil {
		return err
	}
	fd, err := hold(m.Mountpoint, id)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// Our own descriptor keeps the mount busy, which MNT_DETACH does not mind.
	if err := unix.Unmount(descriptor(fd), unix.MNT_DETACH); err != nil {
		return fmt.Errorf("%s: %w", m.Mountpoint, unmountError(err))
	}
	return nil
}
