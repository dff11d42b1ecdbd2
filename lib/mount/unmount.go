package mount

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// UnmountOptions are the flags of umount2(2). Look goes with neither Lazy nor
// Force: the kernel refuses MNT_EXPIRE beside them with EINVAL (fs/namespace.c,
// do_umount).
type UnmountOptions struct {
	Lazy     bool
	Force    bool
	NoFollow bool // the target is a path of the mount table: follow no symbolic link in it
	Look     bool // unmount nothing: EBUSY says that it is in use, EAGAIN that it is not

	// Call is umount2(2), if another one than the plain. Target may lead
	// through /proc/self.
	Call func(target string, flags int) error
}

// Unmount unmounts what is on top at target. The errno is kept: EBUSY says that
// it is in use, EINVAL that nothing is mounted there. The last unmount of a
// filesystem writes out what is dirty, and tells no error of that (fs/super.c,
// generic_shutdown_super). It may take long, and no signal ends it.
func Unmount(target string, o UnmountOptions) error {
	flags, path := 0, target
	if o.Lazy {
		flags |= unix.MNT_DETACH
	}
	// Only filesystems that talk to somebody else (NFS, FUSE) give up their
	// requests for it (fs/namespace.c, do_umount, umount_begin). One on a disk
	// that is busy stays busy.
	if o.Force {
		flags |= unix.MNT_FORCE
	}
	// The first such call marks a mount that is not in use, and is EAGAIN. A
	// second one would unmount, unless the mount was used in between
	// (umount2(2)).
	if o.Look {
		flags |= unix.MNT_EXPIRE
	}
	if o.NoFollow {
		// umount2(2) takes no descriptor, but what is mounted on cannot be
		// renamed: to hold the folder is enough.
		flags |= unix.UMOUNT_NOFOLLOW
		folder, err := pin(filepath.Dir(target))
		if err != nil {
			return err
		}
		defer unix.Close(folder)
		path = descriptor(folder) + "/" + filepath.Base(target)
	}
	call := unix.Unmount
	if o.Call != nil {
		call = o.Call
	}
	if err := call(path, flags); err != nil {
		return fmt.Errorf("%s: %w", target, unmountError(err))
	}
	return nil
}

// unmountError says what umount(8) says, with the errno kept.
func unmountError(err error) error {
	switch {
	case errors.Is(err, unix.EBUSY):
		return busyError{}
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("not mounted: %w", err)
	}
	return err
}

// busyError is EBUSY in a word.
type busyError struct{}

func (busyError) Error() string { return "busy" }
func (busyError) Unwrap() error { return unix.EBUSY }

// deviceNumber is a device number as sysfs has it: MAJOR:MINOR.
func deviceNumber(rdev uint64) string {
	return strconv.Itoa(int(unix.Major(rdev))) + ":" + strconv.Itoa(int(unix.Minor(rdev)))
}
