//go:build kernel

package mount

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The mount of that ID goes, by either way of mounting, also where a folder
// above has been renamed; what lies over it, or under it, stays.
func TestKernelDetach(t *testing.T) {
	for _, flags := range []uintptr{0, unix.MS_SILENT} { // the latter by mount(2)
		top := filepath.Join(t.TempDir(), "top")
		dir := filepath.Join(top, "dir")
		do(t, os.MkdirAll(dir, 0o700))
		mount := func(name string) int {
			r, err := mountAt(t.Context(), Request{name, dir, "tmpfs", Options{Flags: flags}})
			do(t, err)
			if got := topID(t, dir); got != r.ID {
				t.Errorf("%s is mount %d, said %d", name, got, r.ID)
			}
			return r.ID
		}
		below, middle, over := mount("below"), mount("middle"), mount("over")
		if err := Detach(middle); !errors.Is(err, ErrMoved) {
			t.Errorf("covered: %v", err)
		}
		do(t, Detach(over))
		do(t, os.Rename(top, top+"2"))
		do(t, Detach(middle))
		do(t, Detach(middle)) // it is gone already
		if got := topID(t, top+"2/dir"); got != below {
			t.Errorf("mount %d, want %d", got, below)
		}
		do(t, Detach(below))
		if err := unix.Unmount(top+"2/dir", 0); !errors.Is(err, unix.EINVAL) {
			t.Errorf("still mounted: %v", err)
		}
	}
}
