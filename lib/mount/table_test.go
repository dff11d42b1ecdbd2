package mount

import (
	"testing"

	"github.com/moby/sys/mountinfo"
)

func TestTable(t *testing.T) {
	table := []*mountinfo.Info{
		{ID: 5, Mountpoint: "/a", Source: "/dev/x", Major: 253, Minor: 1},
		{ID: 6, Mountpoint: "/a", Source: "/dev/y", Major: 0, Minor: 40, FSType: "btrfs"},
		{ID: 7, Mountpoint: "/b", Source: "/dev/x", Major: 253, Minor: 1},
	}
	for _, c := range []struct {
		except, id     int
		source, target string
		want           bool
	}{
		{0, 5, "", "/a", true}, {5, 5, "", "/a", false}, {0, 5, "", "/b", false}, {0, 9, "/dev/x", "/a", false},
		{0, 0, "/dev/x", "/a", true}, {5, 0, "/dev/x", "/a", false}, {0, 0, "/dev/y", "/b", false},
	} {
		if got := LiveIn(table, c.except)(c.id, c.source, c.target); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if m := Top(table, "/a"); m != table[1] {
		t.Errorf("top %+v", m)
	}
	if m := Top(table, "/c"); m != nil {
		t.Errorf("top %+v", m)
	}
	if n := len(ByDev(table, 253, 1, "")); n != 2 {
		t.Errorf("%d mounts by number", n)
	}
	for fstype, want := range map[string]bool{"fuse.btrfs": false, "fuse": false, "tmpfs": false, "overlay": false, "btrfs": true} {
		m := &mountinfo.Info{Mountpoint: "/home/u/x", Source: "/dev/x", Major: 0, Minor: 50, FSType: fstype}
		if got := len(ByDev([]*mountinfo.Info{m}, 253, 1, "/dev/x")) == 1; got != want || NamesDevice(m) != want {
			t.Errorf("%s that calls itself /dev/x: %v", fstype, got)
		}
	}
	if n := len(ByDev(table, 253, 9, "/dev/y")); n != 1 {
		t.Errorf("%d mounts by name", n)
	}
}
