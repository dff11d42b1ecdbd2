package layers

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"thinmount/lib/mountinfo"
)

// sysfs makes the files that Above reads: device names with their numbers, what
// they hold, and files of loop devices.
func sysfs(
	t *testing.T, devices map[string]string, holders map[string][]string, loops map[string]string,
) string {
	t.Helper()
	sys := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(sys, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, number := range devices {
		write("class/block/"+name+"/dev", number+"\n")
		if err := os.MkdirAll(sys+"/dev/block", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../devices/virtual/block/"+name,
			sys+"/dev/block/"+number); err != nil {
			t.Fatal(err)
		}
	}
	for below, names := range holders {
		for _, above := range names {
			write("class/block/"+below+"/holders/"+above, "")
		}
	}
	for name, file := range loops {
		write("block/"+name+"/loop/backing_file", file+"\n")
	}
	return sys
}

func names(all []Layer) (n []string) {
	for _, l := range all {
		name := l.Name
		for _, m := range l.Mounts {
			name += " " + m.Mountpoint
		}
		n = append(n, name)
	}
	return n
}

// A device whose own number cannot be read, since memory is short for example,
// is known by the caller.
func TestAboveWithoutNumber(t *testing.T) {
	sys := sysfs(t, map[string]string{"dm-1": "253:1", "dm-2": "253:2"},
		map[string][]string{"dm-1": {"dm-2"}}, nil)
	os.Remove(sys + "/class/block/dm-1/dev")
	if got := names((System{Sys: sys}).Above(253, 1)); !slices.Equal(got, []string{"dm-2"}) {
		t.Errorf("%q", got)
	}
}

// Each layer comes before those that it lies on, whatever ways lead to it.
func TestAbove(t *testing.T) {
	table := mountinfo.Parse(`1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 253:1 / /mnt rw - ext4 /dev/mapper/thin-p@v rw
3 1 253:3 / /top rw - xfs /dev/mapper/top rw
4 1 7:5 / /inner rw - ext4 /dev/loop5 rw
5 1 7:5 / /inner2 rw - ext4 /dev/loop5 rw
6 2 0:50 / /mnt/over rw - tmpfs t rw
`).All()
	sys := sysfs(t,
		map[string]string{"dm-1": "253:1", "dm-2": "253:2", "dm-3": "253:3", "dm-4": "253:4",
			"loop5": "7:5", "loop6": "7:6", "loop7": "7:7", "sda1": "8:1"},
		map[string][]string{"dm-1": {"dm-2", "dm-4", "gone"}, "dm-2": {"dm-3"}, "dm-4": {"dm-3"}},
		map[string]string{"loop5": "/mnt/disk.img", "loop6": "/var/other.img",
			"loop7": "/mnt/over/file.img"})
	os.MkdirAll(sys+"/class/block/loop5/loop5p1", 0o755)
	os.WriteFile(sys+"/class/block/loop5/loop5p1/partition", []byte("1\n"), 0o600)
	os.MkdirAll(sys+"/class/block/loop5p1", 0o755)
	os.WriteFile(sys+"/class/block/loop5p1/dev", []byte("259:1\n"), 0o600)

	found := System{Sys: sys, Table: table}.Above(253, 1)
	want := []string{"dm-3 /top", "dm-2", "dm-4", "loop5p1", "loop5 /inner /inner2"}
	if got := names(found); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, l := range found {
		if top := l.Name == "dm-3" || l.Name == "loop5p1"; l.Top != top {
			t.Errorf("%s: on top: %v", l.Name, l.Top)
		}
	}
	if found := (System{Sys: sys, Table: table}).Above(253, 3); len(found) != 0 {
		t.Errorf("on dm-3: %q", names(found))
	}
	if found := (System{Sys: sys, Table: table}).Above(253, 9); found != nil {
		t.Errorf("on a device that is not there: %q", names(found))
	}
}
