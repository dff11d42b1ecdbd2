package backing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/thintest"
)

// TestBackingDir refuses folders that others can exchange, and those in the
// folder of the catalogs.
func TestBackingDir(t *testing.T) {
	s := thintest.System(t.TempDir())
	dir := t.TempDir()
	open, link := filepath.Join(dir, "open"), filepath.Join(dir, "link")
	if err := errors.Join(os.MkdirAll(filepath.Join(s.StateDir, "fast"), 0o700),
		os.MkdirAll(open+"/below", 0o755), os.Chmod(open, 0o777),
		os.Mkdir(filepath.Join(dir, "good"), 0o755), os.Symlink("good", link)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		s.StateDir:                        "is where the catalog is",
		filepath.Join(s.StateDir, "fast"): "is where the catalog is",
		open:                              "is writable by others",
		open + "/below":                   "is writable by others",
		filepath.Join(dir, "none"):        "no such file or directory",
	} {
		if got, err := BackingDir(s, path); !errors.Is(err, fault.ErrUsage) ||
			!strings.Contains(err.Error(), want) || thintest.Show(host.RemedyOf(err)) == "" {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
	if got, err := BackingDir(s, link); err != nil || got != filepath.Join(dir, "good") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDirectRefusesFIFO(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "metadata")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := host.OpenDirect(fifo); !errors.Is(err, unix.EINVAL) {
		t.Errorf("%v", err)
	}
}
