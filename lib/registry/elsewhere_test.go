package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/refcount"
)

// process adds one process to the folder proc, which stands in for /proc.
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

// rooted gives a process a root directory, as chroot(2) does.
func rooted(t *testing.T, proc string, pid int, root string) {
	t.Helper()
	if err := os.Symlink(root, filepath.Join(proc, fmt.Sprint(pid), "root")); err != nil {
		t.Fatal(err)
	}
}

// TestLives checks that a recorded mount is believed where a process sees it,
// and otherwise only where /proc does not show all processes.
func TestLives(t *testing.T) {
	const root = "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
	mounted := func(id int, dir string) string {
		return root + fmt.Sprintf("%d 22 253:3 / %s rw - ext4 /dev/mapper/thin-p@v rw\n", id, dir)
	}
	const ours, other = 7, 8
	rec := refcount.Record{Dev: "253:3", MountedOn: "/mnt", MountID: 40, References: 2,
		Namespace: other}
	here := rec
	here.Namespace = ours
	for _, row := range []struct {
		name  string
		rec   refcount.Record
		proc  func(proc string)
		all   bool // proc shows all processes
		lives bool
	}{
		{"in its namespace", rec, func(p string) { process(t, p, 5, "8", mounted(40, "/mnt")) },
			true, true},
		{"there, with another ID", rec,
			func(p string) { process(t, p, 5, "8", mounted(41, "/mnt")) }, true, true},
		{"there, moved", rec, func(p string) { process(t, p, 5, "8", mounted(40, "/srv")) },
			true, true},
		{"there, something else", rec, func(p string) { process(t, p, 5, "8", root) }, true, false},
		{"copies alone", rec, func(p string) { process(t, p, 5, "9", mounted(41, "/mnt")) },
			true, false},
		{"nobody is to be seen", rec, func(string) {}, false, true},
		{"nobody is there", rec, func(string) {}, true, false},
		{"below another root", here, func(p string) {
			process(t, p, 5, "7", mounted(41, "/mnt"))
			rooted(t, p, 5, "/jail")
			process(t, p, 6, "7", mounted(40, "/jail/mnt"))
			rooted(t, p, 6, "/")
		}, true, true},
		{"mounted anew", here, func(p string) { process(t, p, 5, "7", mounted(41, "/mnt")) },
			true, false},
		{"of a program that did not note the namespace",
			refcount.Record{Dev: "253:3", MountedOn: "/mnt", MountID: 40, References: 2},
			func(p string) { process(t, p, 5, "8", mounted(40, "/mnt")) }, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			proc := t.TempDir()
			row.proc(proc)
			pids := "pid:[4026532001]"
			if row.all {
				pids = initialPIDs
			}
			if err := os.MkdirAll(filepath.Join(proc, "self/ns"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(pids, filepath.Join(proc, "self/ns/pid")); err != nil {
				t.Fatal(err)
			}
			if got := IsMountedSomewhere(ProcTables(proc), ShowsAll(proc), row.rec, ours,
				"/dev/mapper/thin-p@v"); got != row.lives {
				t.Errorf("%v", got)
			}
		})
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
	process(t, proc, 304, "6",
		"43 22 0:40 / /home/u"+strings.Repeat("/ddddddddd", 10_000)+
			" rw - fuse.x x rw\n44 22 253:7 / /l rw - ext4 /dev/mapper/thin-p@l rw\n")
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
		if pid, dir := MountedBy(ProcTables(proc), row.dev, row.source); pid != row.pid ||
			dir != row.dir {
			t.Errorf("%s: %d on %q, want %d on %q", row.source, pid, dir, row.pid, row.dir)
		}
	}
}
