package pools

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/host"
	"thinmount/lib/thintest"
)

// TestLinkedStateDirHint makes the state folder a symlink, and wants an error
// that suggests a bind mount.
func TestLinkedStateDirHint(t *testing.T) {
	dir := t.TempDir()
	s := thintest.System(dir)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "big"), 0o700),
		os.Symlink("big", s.StateDir)); err != nil {
		t.Fatal(err)
	}
	_, err := Pools(t.Context(), s)
	want := "mount --bind " + filepath.Join(dir, "big") + " " + s.StateDir
	if err == nil || !strings.Contains(thintest.Show(host.RemedyOf(err)), want) {
		t.Errorf("%v (%s), want %s", err, thintest.Show(host.RemedyOf(err)), want)
	}
}
