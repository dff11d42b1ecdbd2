package thin

import (
	"strings"
	"testing"
)

// Names and uuids of devices are given by anybody. What is taken for ours is, to
// the byte, what we would have given.
func FuzzSplitNames(f *testing.F) {
	for _, s := range []string{
		"thin-demo@base", "thin-demo@@pool", "thin-a-b@c", "thin-@x", "THIN-0123456789abcdef0123456789abcdef-7", "THIN-0123456789abcdef0123456789abcdef-pool",
		"THIN-0123456789abcdef0123456789abcdef-07", "LVM-x-7", "/run/thin/dev/demo/base", "/run/thin/dev/../x", "/run/thin/dev/demo/base/c",
	} {
		f.Add(s)
	}
	s := &System{RunDir: "/run/thin"}
	f.Fuzz(func(t *testing.T, name string) {
		if pool, volume, ok := splitVolumeName(name); ok && (volumeName(pool, volume) != name || strings.Contains(pool+volume, "@")) {
			t.Errorf("%q is taken for %q, %q", name, pool, volume)
		}
		if pool, id, ok := splitVolumeUUID(name); ok && volumeUUID(pool, id) != name {
			t.Errorf("%q is taken for %d of %q", name, id, pool)
		}
		if pool, volume, ok := s.splitAlias(name); ok && s.aliasPath(pool, volume) != name {
			t.Errorf("%q is taken for %q, %q", name, pool, volume)
		}
	})
}
