package thin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// process makes a /proc of one process more.
func process(t *testing.T, proc string, pid int, ns, mountinfo string) {
	t.Helper()
	dir := filepath.Join(proc, fmt.Sprint(pid))
	if err := os.MkdirAll(filepath.Join(dir, "ns"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("mnt:["+ns+"]", filepath.Join(dir, "ns/mnt")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mountinfo"), []byte(mountinfo), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMountedBy(t *testing.T) {
	const (
		root  = "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
		thin  = root + "40 22 253:3 / /srv/a\\040b rw - ext4 /dev/mapper/thin-p@v rw\n"
		btrfs = root + "41 22 0:38 / /data rw - btrfs /dev/mapper/thin-p@b rw\n"
	)
	proc := t.TempDir()
	process(t, proc, 1, "1", root)
	process(t, proc, 2, "1", "not read: its namespace has been seen")
	process(t, proc, 300, "2", thin)
	process(t, proc, 301, "3", btrfs)
	process(t, proc, 303, "5", "42 22 0:39 / /home/u/x rw - fuse.x /dev/mapper/thin-p@w rw\n")
	process(t, proc, 304, "6", "43 22 0:40 / /home/u"+strings.Repeat("/ddddddddd", 10_000)+" rw - fuse.x x rw\n44 22 253:7 / /l rw - ext4 /dev/mapper/thin-p@l rw\n")
	process(t, proc, 302, "4", "hostile\nline")
	for _, row := range []struct {
		dev, source string
		pid         int
		dir         string
	}{
		{"253:3", "/dev/mapper/thin-p@v", 300, "/srv/a b"},
		{"253:9", "/dev/mapper/thin-p@b", 301, "/data"},
		{"253:7", "/dev/mapper/thin-p@l", 304, "/l"},
		{"253:4", "/dev/mapper/thin-p@w", 0, ""},
	} {
		if pid, dir := mountedBy(procTables(proc), row.dev, row.source); pid != row.pid || dir != row.dir {
			t.Errorf("%s: %d on %q, want %d on %q", row.source, pid, dir, row.pid, row.dir)
		}
	}
}
