package mounting

import (
	"testing"

	"thinmount/lib/mountinfo"
)

// gaveUp finds a filesystem that has turned itself read-only, and not one that
// was mounted read-only.
func TestGaveUp(t *testing.T) {
	for _, row := range []struct {
		mount, super string
		want         bool
	}{
		{"rw,relatime", "rw,errors=remount-ro", false},
		{"rw,relatime", "ro,discard", true},
		{"ro,relatime", "ro", false},
		{"ro", "rw", false},
	} {
		if got := gaveUp(
			&mountinfo.Info{Options: row.mount, VFSOptions: row.super},
		); got != row.want {
			t.Errorf("%s; %s: %v", row.mount, row.super, got)
		}
	}
}
