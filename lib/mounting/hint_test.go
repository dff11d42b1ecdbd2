package mounting

import (
	"errors"
	"os"
	"testing"

	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/thintest"
)

// The hint says mkdir where nothing exists. It does not say mkdir where a file
// is in the way.
func TestHintOfAMountPoint(t *testing.T) {
	top := t.TempDir()
	if err := errors.Join(
		os.WriteFile(top+"/file", nil, 0o600), os.Symlink("loop", top+"/loop"),
	); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"/nosuch": "mkdir -p " + top + "/nosuch", "/no/such": "mkdir -p " + top + "/no/such",
		"/file":     "a volume is mounted on a directory",
		"/file/sub": "a volume is mounted on a directory",
		"/loop":     "",
	} {
		_, err := mount.OpenDir(top + dir)
		if got := thintest.Show(host.RemedyOf(dirError(top+dir, err))); err == nil || got != want {
			t.Errorf("%s: %v: %q, want %q", dir, err, got, want)
		}
	}
}
