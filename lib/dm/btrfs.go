package dm

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// btrfsForget is BTRFS_IOC_FORGET_DEV of include/uapi/linux/btrfs.h, which
// x/sys lacks: it writes a struct btrfs_ioctl_vol_args of 4096 bytes. FICLONE
// writes, too, and has the same letter. So it gives the bits for the direction,
// which some machines number otherwise, and the letter.
const btrfsForget = unix.FICLONE&^(0x1fff<<16|0xff) | 4096<<16 | 5

// btrfsVolArgs is struct btrfs_ioctl_vol_args.
type btrfsVolArgs struct {
	_    int64 // a file descriptor, for other ioctls
	name [4088]byte
}

// btrfsControl is the node by which btrfs is asked.
const btrfsControl = "/dev/btrfs-control"

// ForgetBtrfs makes btrfs forget a filesystem that is not mounted and that it
// has seen on a device with the number of the node at path. A filesystem of
// several devices leaves such an entry, and the number of a removed device goes
// to a new one. If btrfs knows the filesystem on the new device from another
// device, too, as that of a snapshot from its origin, it takes the old entry
// for that of the new device, and the mount fails with "file exists"
// (fs/btrfs/volumes.c, find_fsid_by_device and device_list_add; Linux 6.7).
//
// A kernel that has no btrfs yet, or none that can forget (before 5.5), has
// nothing to forget: the result is nil.
func ForgetBtrfs(path string) error {
	var args btrfsVolArgs
	if len(path) >= len(args.name) {
		return &os.PathError{Op: "forget", Path: path, Err: unix.ENAMETOOLONG}
	}
	copy(args.name[:], path)
	fd, err := unix.Open(btrfsControl, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: btrfsControl, Err: err}
	}
	defer unix.Close(fd)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), btrfsForget,
		uintptr(unsafe.Pointer(&args)))
	switch errno {
	case 0, unix.ENOENT, unix.ENOTTY:
		return nil
	}
	return &os.PathError{Op: "forget", Path: path, Err: errno}
}
