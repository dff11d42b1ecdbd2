package registry

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"thinmount/lib/mount"
	"thinmount/lib/thintest"
)

// TestOneMount wants a command to look at the lines of its own mount point
// always, and at those of others once in a while.
func TestOneMount(t *testing.T) {
	s := thintest.Scratch(t)
	s.MountDir = t.TempDir()
	lock := filepath.Join(s.MountDir, "utab.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := func() mount.Live { return func(string, string) bool { return false } }
	for _, step := range []struct {
		name    string
		age     time.Duration // of the last look
		own, by bool          // whether the mount counts as existing
	}{
		{"just looked", 0, false, true},
		{"long ago", time.Minute, false, false},
		{"in the future", -time.Minute, false, false},
	} {
		at := time.Now().Add(-step.age)
		if err := os.Chtimes(lock, at, at); err != nil {
			t.Fatal(err)
		}
		live := OneMount(s, "/dev/mapper/thin-p@v", "/mnt")(none)()
		if live("/dev/mapper/thin-p@v", "/mnt") != step.own ||
			live("/dev/mapper/thin-p@v", "/srv") != step.own ||
			live("/dev/mapper/thin-p@w", "/mnt") != step.own ||
			live("/dev/mapper/thin-p@w", "/srv") != step.by {
			t.Errorf("%s: %v, %v", step.name, live("", "/mnt"), live("", "/srv"))
		}
	}
}
