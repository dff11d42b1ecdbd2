package loop

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// Info describes a loop device that is attached.
type Info struct {
	Path        string // /dev/loopN
	DevNo       dm.DevNo
	BackingFile string // as it was attached: cut to 63 bytes, and not renamed with the file
	Offset      uint64 // bytes
	SizeLimit   uint64 // bytes; 0 is all of the file
	Autoclear   bool
	DirectIO    bool
}

// Find lists the loop devices over the file at backing. They are found by its
// inode: the name that the kernel keeps may be that of another file by now.
func Find(backing string) ([]Info, error) {
	var want unix.Stat_t
	if err := unix.Stat(backing, &want); err != nil {
		return nil, &os.PathError{Op: "stat", Path: backing, Err: err}
	}
	entries, err := os.ReadDir("/sys/block")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var found []Info
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "loop") {
			continue
		}
		if _, err := os.Lstat("/sys/block/" + e.Name() + "/loop"); err != nil {
			continue // not attached
		}
		path := "/dev/" + e.Name()
		info, st, err := query(path)
		if errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENOENT) ||
			errors.Is(err, unix.ENODEV) {
			continue // detached meanwhile
		}
		if err != nil {
			return nil, err
		}
		if st.Inode == want.Ino && sameDevice(st.Device, uint64(want.Dev)) {
			found = append(found, info)
		}
	}
	return found, nil
}

// sameDevice compares lo_device of LOOP_GET_STATUS64 with st_dev. Both are
// encoded by huge_encode_dev on 64-bit machines; on others stat(2) has another
// form (include/linux/kdev_t.h).
func sameDevice(loop, stat uint64) bool {
	return unix.Major(loop) == unix.Major(stat) && unix.Minor(loop) == unix.Minor(stat)
}

func query(path string) (Info, *unix.LoopInfo64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Info{}, nil, err
	}
	defer f.Close()
	return queryFile(f)
}

// queryFile asks an open loop device.
func queryFile(f *os.File) (Info, *unix.LoopInfo64, error) {
	path := f.Name()
	st, err := unix.IoctlLoopGetStatus64(int(f.Fd()))
	if err != nil {
		return Info{}, nil, &os.PathError{Op: "LOOP_GET_STATUS64", Path: path, Err: err}
	}
	dev, err := devNo(f)
	if err != nil {
		return Info{}, nil, err
	}
	name, _, _ := strings.Cut(string(st.File_name[:]), "\x00")
	return Info{
		Path: path, DevNo: dev, BackingFile: name, Offset: st.Offset, SizeLimit: st.Sizelimit,
		Autoclear: st.Flags&unix.LO_FLAGS_AUTOCLEAR != 0,
		DirectIO:  st.Flags&unix.LO_FLAGS_DIRECT_IO != 0,
	}, st, nil
}
