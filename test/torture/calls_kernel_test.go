//go:build kernel

package torture

import (
	"slices"
	"testing"
)

// TestTortureCalls reads a trace made by hand.
func TestTortureCalls(t *testing.T) {
	all := calls(`openat(AT_FDCWD, "/etc/fstab", O_RDONLY|O_CLOEXEC) = 3
ioctl(5, DM_DEV_STATUS, {version=[4, 47, 0], flags=0}) = -1 ENXIO (No such device or address)
ioctl(5, DM_DEV_CREATE, {version=[4, 47, 0], name="x"}) = 0
--- SIGURG {si_signo=SIGURG} ---
ioctl(7, DM_DEV_CREATE, {version=[4, 47, 0], name="y"}) = ?
write(3, "\1\0\0\0\0\0\0\0", 8) = 8
openat(AT_FDCWD, "/run/x", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3
ioctl(5, DM_TABLE_LOAD, {version=[4, 47, 0]}) = 0
+++ killed by SIGKILL +++
`)
	var names []string
	for _, p := range killsOf(all) {
		names = append(names, p.String())
	}
	if want := []string{"ioctl:2", "ioctl:3", "openat:2", "ioctl:4"}; !slices.Equal(names, want) {
		t.Errorf("calls that change something: %v, want %v", names, want)
	}
	for _, c := range []struct {
		a, b int
		want bool
	}{{2, 3, true}, {2, 1, false}, {2, 6, false}, {5, 0, false}, {5, 5, true}, {2, 5, false}} {
		if all[c.a].like(all[c.b]) != c.want {
			t.Errorf("%q is like %q: want %v", all[c.a].text, all[c.b].text, c.want)
		}
	}
}
