package loop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// File is what a loop device is attached to: a regular file, or another block
// device.
type File struct {
	Name      string   // as it was attached: cut to 63 bytes, and not renamed with the file
	Device    dm.DevNo // of the block device, for one over a block device; else zero
	Offset    uint64   // bytes
	SizeLimit uint64   // bytes; 0 is all of the file

	fs, inode uint64 // st_dev and st_ino
}

// Is reports whether st describes that file, by any of its names.
func (f File) Is(st *unix.Stat_t) bool {
	return f.inode == st.Ino && sameDevice(f.fs, uint64(st.Dev))
}

// Overlaps reports whether two loop devices share bytes of one file.
func (f File) Overlaps(g File) bool {
	if f.inode != g.inode || f.fs != g.fs {
		return false
	}
	end := func(f File) uint64 {
		if f.SizeLimit == 0 {
			return 1 << 63
		}
		return f.Offset + f.SizeLimit
	}
	return f.Offset < end(g) && g.Offset < end(f)
}

// Major is the major number of loop devices (include/uapi/linux/major.h).
const Major = 7

// Over returns what the loop device of that number is attached to. If it is not
// attached, or has no node and cannot get one here, the error is fs.ErrNotExist
// or unix.ENXIO.
func Over(dev dm.DevNo) (File, error) {
	// With the module parameter max_part the minor number is not that of the
	// name: then sysfs knows the name.
	name := fmt.Sprint("loop", dev.Minor)
	if link, err := os.Readlink("/sys/dev/block/" + dev.String()); err == nil {
		name = filepath.Base(link)
	}
	node, err := openNode(name, dev)
	if err != nil {
		return File{}, err
	}
	defer node.Close()
	info, st, err := queryFile(node)
	if err != nil {
		return File{}, err
	}
	if info.DevNo != dev {
		return File{}, fmt.Errorf("%s: is device %s, not %s", info.Path, info.DevNo, dev)
	}
	f := File{
		Name: info.BackingFile, Offset: info.Offset, SizeLimit: info.SizeLimit,
		fs: st.Device, inode: st.Inode,
	}
	// For a regular file both are st_dev (drivers/block/loop.c,
	// loop_get_status).
	if st.Rdevice != st.Device {
		f.Device = dm.DevNoOf(st.Rdevice)
	}
	return f, nil
}

// openNode opens a loop device. Where /dev lacks its node, as in a container,
// it makes one for that moment.
func openNode(name string, dev dm.DevNo) (*os.File, error) {
	f, err := os.OpenFile("/dev/"+name, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if !errors.Is(err, unix.ENOENT) {
		return f, err
	}
	path := fmt.Sprintf("/dev/.%s.%d", name, os.Getpid())
	number := int(unix.Mkdev(dev.Major, dev.Minor))
	if err := unix.Mknod(path, unix.S_IFBLK|0o600, number); err != nil {
		return nil, &os.PathError{Op: "mknod", Path: path, Err: err}
	}
	defer os.Remove(path)
	return os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC, 0)
}

// NameOf is the path of the file below the loop device of that number, from
// sysfs: in full, where the ioctl has 63 bytes of it, and also where /dev lacks
// the device. deleted reports that the file has no name any more.
func NameOf(dev dm.DevNo) (path string, deleted bool, err error) {
	b, err := os.ReadFile("/sys/dev/block/" + dev.String() + "/loop/backing_file")
	if err != nil {
		return "", false, err
	}
	path, deleted = strings.CutSuffix(strings.TrimSuffix(string(b), "\n"), " (deleted)")
	return path, deleted, nil
}
