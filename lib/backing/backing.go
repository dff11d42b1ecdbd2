package backing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/privdir"
)

// RefuseSignatures refuses a device that carries anything.
func RefuseSignatures(f *os.File, size int64) error {
	remedy := fault.Sayf("if nothing on it is needed: %v, which destroys it", fault.OptionForce)
	if l, err := label.Read(f); err == nil {
		return &fault.Error{Object: f.Name(), Err: fault.Errorf(fault.ErrExists, "carries the %s of pool %s", l.Role, quoted(l.Pool)), Remedy: remedy}
	}
	found, err := fsprobe.Signatures(f, size)
	if err != nil && !errors.Is(err, fsprobe.ErrNone) {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if len(found) > 0 {
		return &fault.Error{Object: f.Name(), Err: fault.Errorf(fault.ErrExists, "carries %s", found[0].Type), Remedy: remedy}
	}
	return nil
}

// quoted is a pool's name as a disk of others has it: quoted, unless it is one.
func quoted(name string) string {
	if catalog.CheckPoolName(name) == nil {
		return name
	}
	return strconv.Quote(name)
}

// BackingDir is the absolute path, without symlinks, of a folder for a pool's
// files. It must be there, in a place where nobody else can exchange it.
func BackingDir(s *host.System, dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &fault.Error{Err: fault.Wrap(fault.ErrUsage, err), Remedy: fault.Hint("make it first, with mkdir -p")}
	}
	if err != nil {
		return "", fault.Wrap(fault.ErrUsage, err)
	}
	if own, err := filepath.EvalSymlinks(s.StateDir); err == nil && (real == own || strings.HasPrefix(real, own+"/")) {
		return "", &fault.Error{Object: real, Err: fault.Errorf(fault.ErrUsage, "is where the catalog is"), Remedy: fault.Sayf("choose a folder of the pool's own for %v, or leave it out", fault.OptionDir)}
	}
	if err := privdir.CheckPath(real); err != nil {
		return "", &fault.Error{Err: fault.Wrap(fault.ErrUsage, err), Remedy: fault.Sayf("choose a folder for %v that belongs to root, below none in which others may write", fault.OptionDir)}
	}
	return real, nil
}

// NodeDevice is the number of the block device at path.
func NodeDevice(path string) (dm.DevNo, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: path, Err: unix.ENOTBLK}
	}
	return dm.DevNoOf(uint64(st.Rdev)), nil
}

func ForeignDevice(object, name, uuid string) error {
	return &fault.Error{
		Object: object,
		Err:    fault.Errorf(fault.ErrExists, "a device-mapper device named %s exists that is not ours (uuid %q)", name, uuid),
		Remedy: fault.Hint("look at it with: dmsetup info " + name),
	}
}

// LabelRole is the label's word for a part.
func LabelRole(part string) string {
	if part == dmname.Meta {
		return "metadata"
	}
	return part
}

// DeviceOf is the number of an open block device.
func DeviceOf(f *os.File) (dm.DevNo, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return dm.DevNo{}, &os.PathError{Op: "open", Path: f.Name(), Err: unix.ENOTBLK}
	}
	return dm.DevNoOf(uint64(st.Rdev)), nil
}
