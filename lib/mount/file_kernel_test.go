//go:build kernel

package mount

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// The mount is that of the file alone, and another process can give it a place.
// Flags that only mount(2) knows make no file.
func TestKernelFile(t *testing.T) {
	_, device := made(t, "ext4")
	used := func() bool {
		f, err := os.OpenFile(device, os.O_RDONLY|unix.O_EXCL, 0)
		if err == nil {
			f.Close()
		}
		return errors.Is(err, unix.EBUSY)
	}
	r := Request{device, t.TempDir(), "ext4", Options{}}
	m, err := Make(t.Context(), r)
	do(t, err)
	f, res, err := m.File()
	do(t, err)
	m.Close()
	if !used() {
		t.Error("the file does not keep the mount")
	}
	do(t, unix.MoveMount(int(f.Fd()), "", unix.AT_FDCWD, r.Target, unix.MOVE_MOUNT_F_EMPTY_PATH))
	if got := topID(t, r.Target); got != res.ID {
		t.Errorf("mount %d, said %d", got, res.ID)
	}
	do(t, unix.Unmount(r.Target, unix.MNT_DETACH))
	do(t, f.Close())
	if used() {
		t.Error("the mount has outlived its file")
	}
	r.Options.Flags = unix.MS_SILENT
	m, err = Make(t.Context(), r)
	do(t, err)
	defer m.Close()
	if f, _, err := m.File(); f != nil || !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("with a flag for mount(2): %v, %v", f, err)
	}
}
