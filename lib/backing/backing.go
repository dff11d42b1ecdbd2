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

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/privdir"
	"thinmount/lib/spec"
)

// RefuseSignatures returns an error (fault.ErrExists) if the device carries the
// label of a pool or a signature that fsprobe knows. size is the size of the
// device in bytes.
func RefuseSignatures(f *os.File, size int64) error {
	remedy := fault.Sayf("if nothing on it is needed: %v, which destroys it", fault.OptionForce)
	if l, err := label.Read(f); err == nil {
		return &fault.Error{Object: f.Name(),
			Err: fault.Errorf(fault.ErrExists, "carries the %s of pool %s",
				l.Role, quoted(l.Pool)),
			Remedy: remedy}
	}
	found, err := fsprobe.Signatures(f, size)
	if err != nil && !errors.Is(err, fsprobe.ErrNone) {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if len(found) > 0 {
		return &fault.Error{Object: f.Name(),
			Err: fault.Errorf(fault.ErrExists, "carries %s", found[0].Type), Remedy: remedy}
	}
	return nil
}

// quoted returns the name of a pool that a label on a disk names. Anybody may
// have written the label, so quoted quotes a name that no pool can have.
func quoted(name string) string {
	if spec.CheckPoolName(name) == nil {
		return name
	}
	return strconv.Quote(name)
}

// BackingDir returns the absolute path, without symbolic links, of a folder for
// a pool's files. The error is fault.ErrUsage if the folder does not exist, if
// it is in the folder of the catalogs, or if somebody other than root can
// exchange it.
func BackingDir(s *host.System, dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &fault.Error{Err: fault.Wrap(fault.ErrUsage, err),
			Remedy: fault.Hint("make it first, with mkdir -p")}
	}
	if err != nil {
		return "", fault.Wrap(fault.ErrUsage, err)
	}
	if own, err := filepath.EvalSymlinks(s.StateDir); err == nil &&
		(real == own || strings.HasPrefix(real, own+"/")) {
		return "", &fault.Error{Object: real,
			Err: fault.Errorf(fault.ErrUsage, "is where the catalog is"),
			Remedy: fault.Sayf("choose a folder of the pool's own for %v, or leave it out",
				fault.OptionDir)}
	}
	if err := privdir.CheckPath(real); err != nil {
		return "", &fault.Error{Err: fault.Wrap(fault.ErrUsage, err),
			Remedy: fault.Sayf(
				"choose a folder for %v that belongs to root, below none in which others may write",
				fault.OptionDir)}
	}
	return real, nil
}

// NodeDevice returns the number of the block device at path. The error is
// unix.ENOTBLK if something else is there.
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

// ForeignDevice returns the error (fault.ErrExists) for a device-mapper device
// that has the name of one of ours, but another uuid.
func ForeignDevice(object, name, uuid string) error {
	return &fault.Error{
		Object: object,
		Err: fault.Errorf(fault.ErrExists,
			"a device-mapper device named %s exists that is not ours (uuid %q)", name, uuid),
		Remedy: fault.Hint("look at it with: dmsetup info " + name),
	}
}

// LabelRole returns the word for a part of a pool in a label: "data" or
// "metadata".
func LabelRole(part string) string {
	if part == dmname.Meta {
		return "metadata"
	}
	return part
}

// DeviceOf returns the number of an open block device. The error is
// unix.ENOTBLK if f is something else.
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
