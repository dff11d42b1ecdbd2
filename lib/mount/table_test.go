package mount

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/mountinfo"
)

func TestTable(t *testing.T) {
	table := mountinfo.Parse(`5 1 253:1 / /a rw - ext4 /dev/x rw
6 1 0:40 / /a rw - btrfs /dev/y rw
7 1 253:1 / /b rw - ext4 /dev/x rw
`)
	for _, c := range []struct {
		source, target string
		want           bool
	}{
		{"/dev/x", "/a", true}, {"/dev/y", "/a", true}, {"/dev/x", "/b", true},
		{"/dev/y", "/b", false}, {"", "/a", false}, {"/dev/x", "/c", false},
	} {
		if got := LiveIn(table)(c.source, c.target); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if m := Top(table, "/a"); m == nil || m.ID != 6 {
		t.Errorf("top %+v", m)
	}
	if m := Top(table, "/c"); m != nil {
		t.Errorf("top %+v", m)
	}
	if n := len(ByDev(table, 253, 1, "")); n != 2 {
		t.Errorf("%d mounts by number", n)
	}
	for fstype, want := range map[string]bool{
		"fuse.btrfs": false, "fuse": false, "tmpfs": false, "overlay": false, "btrfs": true,
	} {
		m := &mountinfo.Info{Mountpoint: "/home/u/x", Source: "/dev/x", Major: 0, Minor: 50,
			FSType: fstype}
		if got := len(ByDev(mountinfo.Parse(mountLine(m)), 253, 1, "/dev/x")) == 1; got != want ||
			NamesDevice(m) != want {
			t.Errorf("%s that calls itself /dev/x: %v", fstype, got)
		}
	}
	if n := len(ByDev(table, 253, 9, "/dev/y")); n != 1 {
		t.Errorf("%d mounts by name", n)
	}
}

// No line keeps another from being read: neither a long one, which a user makes
// by renaming a folder above a mount of his, nor one that says nothing.
func TestTableLines(t *testing.T) {
	long := "/home/u" + strings.Repeat("/"+strings.Repeat("d", 249), 400)
	path := filepath.Join(t.TempDir(), "mountinfo")
	do(t, os.WriteFile(path, []byte(`22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
30 22 0:50 / `+long+` rw - fuse.x x rw
hostile
31 22 x:50 / /x rw - ext4 /dev/vdb rw
32 22 0:50 / /x rw shared:1 master:2 ext4 /dev/vdb rw
33 22 0:50 / /x rw shared:1 master:2 x - ext4
40 22 253:3 /s\040t /srv/a\040b\011c\012d\134e\043 ro shared:5 master:2 - `+
		`ext4 /dev/mapper/thin-p@v rw,discard
`), 0o600))
	read, err := mountinfo.Read(path)
	table := read.All()
	want := []mountinfo.Info{
		{ID: 22, Parent: 1, Major: 254, Root: "/", Mountpoint: "/", Options: "rw",
			Optional: "shared:1", FSType: "ext4", Source: "/dev/vda", VFSOptions: "rw"},
		{ID: 30, Parent: 22, Minor: 50, Root: "/", Mountpoint: long, Options: "rw",
			FSType: "fuse.x", Source: "x", VFSOptions: "rw"},
		{ID: 40, Parent: 22, Major: 253, Minor: 3, Root: "/s t", Mountpoint: "/srv/a b\tc\nd\\e#",
			Options: "ro", Optional: "shared:5 master:2",
			FSType: "ext4", Source: "/dev/mapper/thin-p@v", VFSOptions: "rw,discard"},
	}
	if err != nil || len(table) != len(want) {
		t.Fatalf("%d mounts, %v", len(table), err)
	}
	for i, m := range table {
		if *m != want[i] {
			t.Errorf("%.300v\nwant %.300v", *m, want[i])
		}
	}
	if own, err := Table(); err != nil || Top(own, "/proc") == nil {
		t.Errorf("our own: %d mounts, %v", len(own.All()), err)
	}
}

// What is on top comes from the tree of mounts.
func TestTopOfTree(t *testing.T) {
	text := func(lines ...string) mountinfo.Table {
		var s strings.Builder
		for _, l := range lines {
			f := strings.Fields(l)
			s.WriteString(f[0] + " " + f[1] + " 0:" + f[0] + " / " + f[2] + " rw - tmpfs x rw\n")
		}
		return mountinfo.Parse(s.String())
	}
	table := text("22 1 /", "30 31 /a", "31 22 /a", "40 30 /a/b", "50 22 /c")
	var order []int
	for _, m := range UpperFirst(table, table.All()) {
		order = append(order, m.ID)
	}
	if want := []int{40, 30, 50, 31, 22}; !slices.Equal(order, want) {
		t.Errorf("upper first: %v, want %v", order, want)
	}
	for name, row := range map[string]struct {
		lines []string // ID, parent, mount point
		dir   string
		want  int // 0: nothing
	}{
		"alone":                    {[]string{"22 1 /", "30 22 /a"}, "/a", 30},
		"nothing":                  {[]string{"22 1 /", "30 22 /a"}, "/a/b", 0},
		"a name that begins alike": {[]string{"22 1 /", "30 22 /a"}, "/ab", 0},
		"stack": {[]string{"22 1 /", "30 22 /a", "31 30 /a", "32 31 /a"}, "/a",
			32},
		"beneath": {[]string{"22 1 /", "30 31 /a", "31 22 /a"}, "/a", 30},
		"moved on an older one": {[]string{"22 1 /", "29 31 /a", "31 22 /a", "30 29 /a/b"},
			"/a", 29},
		"hidden by a folder above": {[]string{"22 1 /", "30 22 /x", "31 30 /x/b", "32 30 /x"},
			"/x/b", 0},
		"seen through the upper": {
			[]string{"22 1 /", "30 22 /x", "31 30 /x/b", "32 30 /x", "33 32 /x/b"}, "/x/b", 33},
		"seen, and a hidden is new": {
			[]string{"22 1 /", "33 32 /x/b", "30 22 /x", "32 30 /x", "31 30 /x/b"}, "/x/b", 33},
		"hidden by the root's own":  {[]string{"22 1 /", "30 22 /x/b", "31 22 /x"}, "/x/b", 0},
		"root":                      {[]string{"22 1 /", "30 22 /a"}, "/", 22},
		"root of the first process": {[]string{"1 1 /", "30 1 /a"}, "/a", 30},
		"on the root, not entered":  {[]string{"22 1 /", "30 22 /", "31 22 /a"}, "/a", 31},
		"chroot to a plain folder":  {[]string{"30 22 /a", "31 30 /a/b", "32 31 /a/b"}, "/a/b", 32},
		"chroot, covered":           {[]string{"31 22 /a/b", "30 22 /a"}, "/a/b", 0},
		"a circle":                  {[]string{"22 1 /", "30 31 /a", "31 30 /a"}, "/a", 0},
	} {
		got := 0
		if m := Top(text(row.lines...), row.dir); m != nil {
			got = m.ID
		}
		if got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}
