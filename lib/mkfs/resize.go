package mkfs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// errKeepsSize is a filesystem of which no program can change the size while it
// is mounted.
var errKeepsSize = errors.New("keeps its size")

// errNoShrink is a filesystem that cannot be made smaller while it is mounted.
var errNoShrink = errors.New("cannot be made smaller")

// resizer is how to change the size of a mounted filesystem. The kernel does
// that, and keeps the filesystem whole at each moment: the program only asks
// for it. A program that works on an unmounted filesystem can be killed in the
// midst of it, and is not used.
type resizer struct {
	fs, program, pkg string
	shrinks          bool
	least            int64 // bytes: the kernel refuses a smaller new size

	// args returns the arguments; with size 0 the filesystem is to have all of
	// the device.
	args func(device, dir string, size int64) []string
}

func resizers() []resizer {
	ext := func(device, _ string, _ int64) []string { return []string{device} }
	return []resizer{
		{"ext2", "resize2fs", "e2fsprogs", false, 0, ext},
		{"ext3", "resize2fs", "e2fsprogs", false, 0, ext},
		{"ext4", "resize2fs", "e2fsprogs", false, 0, ext},
		{"xfs", "xfs_growfs", "xfsprogs", false, 0,
			func(_, dir string, _ int64) []string { return []string{dir} }},
		// fs/btrfs/ioctl.c, btrfs_ioctl_resize
		{"btrfs", "btrfs", "btrfs-progs", true, 256 << 20,
			func(_, dir string, size int64) []string {
				to := "max"
				if size != 0 {
					to = strconv.FormatInt(size, 10)
				}
				return []string{"filesystem", "resize", to, dir}
			}},
	}
}

// CheckResize returns the error of a filesystem that cannot get a new size of
// size bytes. If the filesystem keeps its size, or cannot shrink, KeepsSize is
// true for the error. If the program is not installed, it is a *MissingError.
func CheckResize(fs string, size int64, shrink bool) error {
	r, _, err := findResizer(fs, shrink)
	if err == nil && size < r.least {
		err = fmt.Errorf("%s of less than %dM %w", fs, r.least>>20, errKeepsSize)
	}
	return err
}

// KeepsSize reports whether err says that the size of a filesystem cannot be
// changed in that direction.
func KeepsSize(err error) bool {
	return errors.Is(err, errKeepsSize) || errors.Is(err, errNoShrink)
}

func findResizer(fs string, shrink bool) (resizer, string, error) {
	all := resizers()
	i := slices.IndexFunc(all, func(r resizer) bool { return r.fs == fs })
	switch {
	case i < 0:
		return resizer{}, "", fmt.Errorf("%s %w", fs, errKeepsSize)
	case shrink && !all[i].shrinks:
		return resizer{}, "", fmt.Errorf("%s %w", fs, errNoShrink)
	}
	path, ok := installed(all[i].program)
	if !ok {
		return resizer{}, "", &MissingError{all[i].program, all[i].pkg}
	}
	return all[i], path, nil
}

// Resize changes the size of the filesystem on a device, which is mounted on
// dir in the mount namespace of this thread. With size 0 it becomes as large as
// the device, otherwise it gets size bytes. If the program fails, the error is
// an *Error. When ctx ends or this process dies, the program is killed, and the
// filesystem has its old size, its new one, or one in between.
func Resize(ctx context.Context, fs, device, dir string, size int64) error {
	r, path, err := findResizer(fs, size != 0)
	if err != nil {
		return err
	}
	return run(ctx, path, r.args(device, dir, size), nil)
}
