package thin

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
	"thinmount/lib/fsprobe"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/privdir"
)

// planDevice looks at a block device that is to carry a pool: it must be
// nobody's, unless force is said, and large enough. size 0 takes all of it. The
// file is the device, held open exclusively; it comes with no error alone.
func planDevice(spec PoolSpec, path string, size, unit int64) (catalog.Backing, *os.File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return catalog.Backing{}, nil, err
	}
	f, err := claimDevice(path)
	if err != nil {
		return catalog.Backing{}, nil, err
	}
	b, err := fitDevice(spec, f, size, unit)
	if err != nil {
		f.Close()
		return b, nil, err
	}
	return b, f, nil
}

func fitDevice(spec PoolSpec, f *os.File, size, unit int64) (catalog.Backing, error) {
	all, err := loop.Size(f)
	if err != nil {
		return catalog.Backing{}, err
	}
	if !spec.Force {
		if err := refuseSignatures(f, all); err != nil {
			return catalog.Backing{}, err
		}
	}
	usable := (all - label.Reserved) / unit * unit
	if size == 0 {
		size = usable
	}
	if size = size / unit * unit; size > usable {
		return catalog.Backing{}, &Error{Object: f.Name(), Err: reason(ErrUsage, "has room for %s, not for %s", exactSize(max(usable, 0)), exactSize(size))}
	}
	return catalog.Backing{Kind: catalog.KindDevice, Path: f.Name(), Size: size}, nil
}

// refuseSignatures refuses a device that carries anything.
func refuseSignatures(f *os.File, size int64) error {
	hint := "if nothing on it is needed: --force, which destroys it"
	if l, err := label.Read(f); err == nil {
		return &Error{Object: f.Name(), Err: reason(ErrExists, "carries the %s of pool %s", l.Role, quoted(l.Pool)), Hint: hint}
	}
	found, err := fsprobe.Signatures(f, size)
	if err != nil && !errors.Is(err, fsprobe.ErrNone) {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if len(found) > 0 {
		return &Error{Object: f.Name(), Err: reason(ErrExists, "carries %s", found[0].Type), Hint: hint}
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

// backingDir is the absolute path, without symlinks, of a folder for a pool's
// files. It must be there, in a place where nobody else can exchange it.
func (s *System) backingDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &Error{Err: wrap(ErrUsage, err), Hint: "make it first, with mkdir -p"}
	}
	if err != nil {
		return "", wrap(ErrUsage, err)
	}
	if own, err := filepath.EvalSymlinks(s.StateDir); err == nil && (real == own || strings.HasPrefix(real, own+"/")) {
		return "", &Error{Object: real, Err: reason(ErrUsage, "is where the catalog is"), Hint: "choose a folder of the pool's own for --dir, or leave it out"}
	}
	if err := privdir.CheckPath(real); err != nil {
		return "", &Error{Err: wrap(ErrUsage, err), Hint: "choose a folder for --dir that belongs to root, below none in which others may write"}
	}
	return real, nil
}

// nodeDevice is the number of the block device at path.
func nodeDevice(path string) (dm.DevNo, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: path, Err: unix.ENOTBLK}
	}
	return dm.DevNoOf(uint64(st.Rdev)), nil
}
