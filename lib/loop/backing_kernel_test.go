//go:build kernel

package loop

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// What somebody else could write in, or has put in a backing file's place, is
// refused, and no loop device is left of it.
func TestKernelUnfitBacking(t *testing.T) {
	before := len(losetup(t))
	for name, spoil := range map[string]func(path string) error{
		"group":         func(p string) error { return os.Chmod(p, 0o660) },
		"others":        func(p string) error { return os.Chmod(p, 0o606) },
		"another owner": func(p string) error { return os.Chown(p, 1000, 1000) },
		"symlink": func(p string) error {
			return errors.Join(os.Rename(p, p+"2"), os.Symlink(p+"2", p))
		},
		"fifo": func(p string) error { return errors.Join(os.Remove(p), unix.Mkfifo(p, 0o600)) },
		"device": func(p string) error {
			return errors.Join(os.Remove(p), unix.Mknod(p, unix.S_IFBLK|0o600, 7<<8))
		},
	} {
		for _, readOnly := range []bool{false, true} {
			path := backing(t)
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			want := unix.EPERM
			switch name {
			case "symlink":
				want = unix.ELOOP
			}
			if d, err := Attach(t.Context(), path,
				Options{ReadOnly: readOnly, Autoclear: true}); !errors.Is(err, want) {
				t.Errorf("%s: %v, %v", name, d, err)
			}
		}
	}
	if after := len(losetup(t)); after != before {
		t.Errorf("%d loop devices, there were %d", after, before)
	}
}
