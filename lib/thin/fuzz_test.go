package thin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
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

// A linear table that is read is written as the kernel would.
func FuzzParseLinear(f *testing.F) {
	for _, s := range []string{"7:0 2048", "253:3 0", "8:16 18446744073709551615", "8:16 18446744073709551616", "7:0", "7:0 -1", "7:0 0x10", "7 2048", "", "7:0\n2048", "7:0 2048 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, params string) {
		dev, offset, err := parseLinear(params)
		if err != nil {
			if !strings.Contains(err.Error(), strconv.Quote(params)) {
				t.Errorf("%q: %v", params, err)
			}
			return
		}
		again := fmt.Sprintf("%s %d", dev, offset)
		if d, o, err := parseLinear(again); err != nil || d != dev || o != offset {
			t.Errorf("%q reads as %q, and that as %s %d, %v", params, again, d, o, err)
		}
		if f := strings.Fields(params); len(f) < 2 || strings.Trim(f[0], "0123456789") != ":" || offset != 0 && !strings.Contains(f[1], strconv.FormatUint(offset, 10)) {
			t.Errorf("%q reads as %q", params, again)
		}
	})
}

// Where a mount table has a device is on a line that is of that device; and a
// line of it is found, whatever stands above.
func FuzzMountedIn(f *testing.F) {
	const table = "22 1 254:0 / / rw - ext4 /dev/vda rw\n40 22 253:3 / /srv/a\\040b rw - ext4 /dev/mapper/thin-p@v rw\n" +
		"41 22 0:38 / /data rw - btrfs /dev/mapper/thin-p@b rw\n42 22 0:39 / /home/u/x rw - fuse.x /dev/mapper/thin-p@w rw\n"
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
			dir = mountedIn(all, dm.DevNo{Major: uint32(major), Minor: uint32(minor)}, source)
			return dir, slices.ContainsFunc(mount.ByDev(all, major, minor, source), func(m *mountinfo.Info) bool { return m.Mountpoint == dir })
		}
		if dir, there := in(table); dir != "" && !there {
			t.Errorf("%s, %s: on %q, and no line says so", dev, source, dir)
		}
		if dir, there := in(table + "\n43 22 " + dev + " / /known rw - ext4 /dev/x rw\n"); dir == "" || !there {
			t.Errorf("%s, %s: on %q, and a line: %v", dev, source, dir, there)
		}
	})
}

// What a SPEC is taken for has names that a volume can have, and stands in the
// SPEC, or, where that is a path, in what fstab has on the directory; a SPEC
// that is nothing is the caller's mistake.
func FuzzResolveSpec(f *testing.F) {
	s := &System{StateDir: f.TempDir(), RunDir: "/run/thin"}
	dir := f.TempDir()
	s.Fstab = filepath.Join(dir, "fstab")
	if err := os.WriteFile(s.Fstab, []byte("demo/fromfstab "+dir+" thin defaults 0 0\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	for _, spec := range []string{
		"demo/base", "/run/thin/dev/demo/base", "/run/thin/dev/../x", "/dev/mapper/thin-demo@base", "/dev/mapper/thin-demo@@pool", "/dev/mapper/thin-..@a/b",
		"/root/demo/base", "/demo/base", "/", "", "demo", "demo/base/x", "/demo/base/", "//demo//base",
	} {
		f.Add(spec, true)
		f.Add(spec, false)
	}
	f.Fuzz(func(t *testing.T, spec string, inFstab bool) {
		if _, err := nodeDevice(spec); err == nil {
			return // of which the kernel would be asked
		}
		on := dir
		if !inFstab {
			on = "/nonexistent"
		}
		pool, volume, err := s.resolveSpec(nil, spec, on)
		if err != nil {
			if !errors.Is(err, ErrUsage) || pool+volume != "" {
				t.Errorf("%q: %q, %q, %v", spec, pool, volume, err)
			}
			return
		}
		if catalog.CheckPoolName(pool) != nil || catalog.CheckVolumeName(volume) != nil {
			t.Errorf("%q is taken for %q, %q", spec, pool, volume)
		}
		named := spec == pool+"/"+volume || spec == s.aliasPath(pool, volume) || spec == "/dev/mapper/"+volumeName(pool, volume)
		if byFstab := inFstab && strings.HasPrefix(spec, "/") && pool == "demo" && volume == "fromfstab"; !named && !byFstab {
			t.Errorf("%q is taken for %q, %q", spec, pool, volume)
		}
		if p, v, ok := s.namedBy(spec); named && (!ok || p != pool || v != volume) {
			t.Errorf("%q is taken for %q, %q, and by fstab for %q, %q", spec, pool, volume, p, v)
		}
	})
}
