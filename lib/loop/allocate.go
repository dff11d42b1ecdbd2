package loop

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// zeroChunk is how many bytes of zeroes are written between two looks at ctx.
const zeroChunk = 1 << 20

// Allocate gives a file blocks for the length bytes from off on, so that no
// later write there fails for want of room. The bytes there must be holes or
// zeroes: where the filesystem has no fallocate(2), zeroes are written until
// ctx ends. On a full filesystem the error is unix.ENOSPC.
func Allocate(ctx context.Context, f *os.File, off, length int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, off, length)
		switch {
		case errors.Is(err, unix.EINTR) && ctx.Err() == nil:
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return writeZeroes(ctx, f, off, length)
		case err != nil:
			return &os.PathError{Op: "allocate", Path: f.Name(), Err: err}
		}
		return nil
	}
}

func writeZeroes(ctx context.Context, f *os.File, off, length int64) error {
	zero := make([]byte, zeroChunk)
	for done := int64(0); done < length; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.WriteAt(zero[:min(zeroChunk, length-done)], off+done)
		if err != nil {
			return err
		}
		done += int64(n)
	}
	return nil
}

// noCopyOnWrite is FS_NOCOW_FL of include/uapi/linux/fs.h.
const noCopyOnWrite = 0x00800000

// NoCopyOnWrite makes btrfs write an empty file in place. Otherwise btrfs
// writes each block to a new place, which fails on a full filesystem although
// the file's blocks are allocated. On all other filesystems it does nothing.
func NoCopyOnWrite(f *os.File) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return &os.PathError{Op: "statfs", Path: f.Name(), Err: err}
	}
	if int64(st.Type) != unix.BTRFS_SUPER_MAGIC {
		return nil
	}
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags|noCopyOnWrite)
	}
	if err != nil {
		return &os.PathError{Op: "FS_IOC_SETFLAGS", Path: f.Name(), Err: err}
	}
	return nil
}
