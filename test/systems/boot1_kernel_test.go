//go:build kernel

package systems

import "testing"

// TestBoot1 puts a volume into fstab and mounts it by its unit, as systemd does at boot.
func TestBoot1(t *testing.T) {
	run(t, "thin-snap", "pool", "create", "--size", "4G", "sys")
	run(t, "thin-snap", "create", "--size", "1G", "--fs", "ext4", "sys/base")
	fstab(t, "sys/base", "/srv/base", "defaults")

	t.Run("fstab/mounts by its unit", func(t *testing.T) {
		run(t, "systemctl", "start", mountUnit(t, "/srv/base"))
		if got, want := mounted(t, "/srv/base"), "/dev/mapper/thin-sys@base ext4"; got != want {
			t.Errorf("mounted is %q, want %q", got, want)
		}
		write(t, "/srv/base/first", "from the first boot\n")
	})
	t.Run("fstab/a mount stays active as a unit", func(t *testing.T) {
		if got := unitState(t, mountUnit(t, "/srv/base")); got != "active" {
			t.Errorf("unit is %s, want active", got)
		}
	})
}
