package loop

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// zeroChunk is how many bytes of zeroes are written at once.
const zeroChunk = 1 << 20

// Allocate gives a file blocks of its own for the length bytes from off on, so
// that no later write there can fail for want of room. The bytes there must be
// holes or zeroes: where the filesystem has no fallocate(2) they are written
// with zeroes, until ctx ends. The error for a full filesystem is ENOSPC.
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

// NoCopyOnWrite has an empty file written in place, on filesystems that would
// otherwise write each block to a new place (btrfs): there allocated blocks
// alone do not keep a write from failing on a full filesystem. On all other
// filesystems it does nothing.
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
