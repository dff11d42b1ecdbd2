package mounting

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mountinfo"
	"thinmount/lib/thintest"
)

// uncovered looks for the mount in the newest table. It refuses if an unmount
// would remove another mount instead.
func TestUncovered(t *testing.T) {
	volume := func(id int, name, dir string) *mountinfo.Info {
		return &mountinfo.Info{ID: id, Major: 253, Minor: id, Source: "/dev/mapper/" + name,
			FSType: "ext4", Mountpoint: dir}
	}
	root := &mountinfo.Info{ID: 1, Major: 8, Source: "/dev/sda1", FSType: "ext4", Mountpoint: "/"}
	a, again := volume(10, "thin-p@a", "/mnt"), volume(11, "thin-p@a", "/srv")
	tmpfs := &mountinfo.Info{ID: 20, Source: "tmp\x1b[2J", FSType: "tmpfs", Mountpoint: "/mnt"}
	for _, row := range []struct {
		name  string
		table []*mountinfo.Info
		dir   string // "" is none
		fails string // in the error
	}{
		{"alone", []*mountinfo.Info{root, a}, "/mnt", ""},
		{"over another", []*mountinfo.Info{root, tmpfs, a}, "/mnt", ""},
		{"moved", []*mountinfo.Info{root, volume(10, "thin-p@a", "/new")}, "/new", ""},
		{"gone", []*mountinfo.Info{root, again}, "", ""},
		{"gone, and its id taken", []*mountinfo.Info{root, volume(10, "thin-q@b", "/mnt")}, "", ""},
		{"under a tmpfs", []*mountinfo.Info{root, a, tmpfs}, "",
			`/mnt: "tmp\x1b[2J" (tmpfs) lies on p/a`},
		{"under another pool's", []*mountinfo.Info{root, a, volume(20, "thin-q@b", "/mnt")}, "",
			"/mnt: q/b lies on p/a"},
		{"under a folder's mount", []*mountinfo.Info{root, volume(10, "thin-p@a", "/mnt/a"), tmpfs},
			"", "a mount on a folder above lies on p/a"},
		{"under the pool's own", []*mountinfo.Info{root, a, volume(20, "thin-p@b", "/mnt")}, "",
			"/mnt: p/b lies on p/a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := ""
			for _, m := range row.table {
				text += fmt.Sprintf("%d %d %d:%d / %s rw - %s %s rw\n", m.ID, m.Parent, m.Major,
					m.Minor, m.Mountpoint, m.FSType, m.Source)
			}
			got, err := uncovered(mountinfo.Parse(text), 10, "p")
			if (got == nil) != (row.dir == "") ||
				got != nil && (got.ID != 10 || got.Mountpoint != row.dir) {
				t.Errorf("%+v, want %q", got, row.dir)
			}
			if row.fails == "" && err != nil ||
				row.fails != "" &&
					(!errors.Is(err, fault.ErrBusy) || !strings.Contains(err.Error(), row.fails)) {
				t.Errorf("%v, want %q", err, row.fails)
			}
			if err != nil && !strings.Contains(
				thintest.Show(host.RemedyOf(err)), "findmnt "+row.table[1].Mountpoint) {
				t.Errorf("hint %q", thintest.Show(host.RemedyOf(err)))
			}
		})
	}
}
