package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
)

// FuzzSplitNames checks how names and uuids of devices are parsed. Any program
// can give a device any name. A name that is taken for one of ours must be,
// byte for byte, the name that we would have given.
func FuzzSplitNames(f *testing.F) {
	for _, s := range []string{
		"thin-demo@base", "thin-demo@@pool", "thin-a-b@c", "thin-@x",
		"THIN-0123456789abcdef0123456789abcdef-7", "THIN-0123456789abcdef0123456789abcdef-pool",
		"THIN-0123456789abcdef0123456789abcdef-07", "LVM-x-7", "/run/thin/dev/demo/base",
		"/run/thin/dev/../x", "/run/thin/dev/demo/base/c",
	} {
		f.Add(s)
	}
	s := &host.System{RunDir: "/run/thin"}
	f.Fuzz(func(t *testing.T, name string) {
		if volume, ok := dmname.ParseVolume(name); ok &&
			(dmname.Volume(volume) != name || strings.Contains(volume.String(), "@")) {
			t.Errorf("%q is taken for %q", name, volume)
		}
		if pool, id, ok := dmname.ParseVolumeUUID(name); ok && dmname.VolumeUUID(pool, id) != name {
			t.Errorf("%q is taken for %d of %q", name, id, pool)
		}
		if volume, ok := ParseAlias(s, name); ok && AliasPath(s, volume) != name {
			t.Errorf("%q is taken for %q", name, volume)
		}
	})
}

// FuzzMountedIn checks that the mount point that mountedIn returns is on a line
// of that device, and that mountedIn finds a line of the device whatever lines
// stand above it.
func FuzzMountedIn(f *testing.F) {
	const table = "22 1 254:0 / / rw - ext4 /dev/vda rw\n" +
		"40 22 253:3 / /srv/a\\040b rw - ext4 /dev/mapper/thin-p@v rw\n" +
		"41 22 0:38 / /data rw - btrfs /dev/mapper/thin-p@b rw\n" +
		"42 22 0:39 / /home/u/x rw - fuse.x /dev/mapper/thin-p@w rw\n"
	f.Add(table, 253, 3, "/dev/mapper/thin-p@v")
	f.Add(table, 253, 9, "/dev/mapper/thin-p@b")
	f.Add(table, 253, 4, "/dev/mapper/thin-p@w")
	f.Add("hostile\nline\n"+table, 254, 0, "")
	f.Add("", 0, 0, "")
	path := filepath.Join(f.TempDir(), "mountinfo")
	f.Fuzz(func(t *testing.T, table string, major, minor int, source string) {
		major, minor = major&0xfff, minor&0xfffff
		dev := fmt.Sprintf("%d:%d", major, minor)
		in := func(table string) (dir string, there bool) {
			if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
				t.Fatal(err)
			}
			all, err := mountinfo.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			dir = mountedIn(all.All(), dm.DevNo{Major: uint32(major), Minor: uint32(minor)}, source)
			return dir, slices.ContainsFunc(mount.ByDev(all, major, minor, source),
				func(m *mountinfo.Info) bool { return m.Mountpoint == dir })
		}
		if dir, there := in(table); dir != "" && !there {
			t.Errorf("%s, %s: on %q, and no line says so", dev, source, dir)
		}
		if dir, there := in(table + "\n43 22 " + dev +
			" / /known rw - ext4 /dev/x rw\n"); dir == "" || !there {
			t.Errorf("%s, %s: on %q, and a line: %v", dev, source, dir, there)
		}
	})
}
