//go:build kernel

package systems

import (
	"strings"
	"testing"
)

// TestBoot2 looks for what the first boot put into fstab and left mounted.
func TestBoot2(t *testing.T) {
	t.Run("fstab/mounts at boot, pool inactive before", func(t *testing.T) {
		if got, want := mounted(t, "/srv/base"), "/dev/mapper/thin-sys@base ext4"; got != want {
			t.Errorf("mounted is %q, want %q; its unit said: %s", got, want, journal(t, "0", mountUnit(t, "/srv/base")))
		}
	})
	t.Run("fstab/keeps what was written before the shutdown", func(t *testing.T) {
		if got, want := read(t, "/srv/base/first"), "from the first boot\n"; got != want {
			t.Errorf("file holds %q, want %q", got, want)
		}
	})
	t.Run("shutdown/unmounts by its unit", func(t *testing.T) {
		if said := journal(t, "-1", mountUnit(t, "/srv/base")); !strings.Contains(said, "Unmounted") {
			t.Errorf("the last boot's journal of the unit: %q", said)
		}
	})
}
