package mount

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Detach takes a mount away again that was just made, by its ID, wherever its
// directory has been moved to in the meantime. Its filesystem goes at its last
// close. A mount that is gone is no error; one that another mount hides is
// left, with ErrMoved.
func Detach(id int) error {
	m, err := byID(id)
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
	if err := unix.Unmount(descriptor(fd), unix.MNT_DETACH); err != nil {
		return fmt.Errorf("%s: %w", m.Mountpoint, unmountError(err))
	}
	return nil
}
