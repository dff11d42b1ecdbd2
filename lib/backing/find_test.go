package backing

import (
	"errors"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/disks"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/thintest"
)

// TestLocate finds a disk by its label under another name, and refuses to
// choose between a disk and its clone.
func TestLocate(t *testing.T) {
	no := func(minor uint32) dm.DevNo { return dm.DevNo{Major: 8, Minor: minor} }
	disk := func(path string, minor uint32, role string) carrier {
		return carrier{disks.Disk{Path: path, Dev: no(minor)}, role}
	}
	b, c, m := disk("/dev/sdb", 16, "data"), disk("/dev/sdc", 32, "data"),
		disk("/dev/sdd", 48, "metadata")
	byID := "/dev/disk/by-id/ata-X"
	for _, row := range []struct {
		name  string
		path  string
		at    uint32
		fits  bool
		found []carrier
		want  string // path; "" is an error
	}{
		{"where it was", "/dev/sdb", 16, true, []carrier{b, m}, "/dev/sdb"},
		{"held by others, and so not listed", "/dev/sdb", 16, true, nil, "/dev/sdb"},
		{"moved", "/dev/sdb", 16, false, []carrier{c, m}, "/dev/sdc"},
		{"moved, by-id", byID, 0, false, []carrier{c, m}, "/dev/sdc"},
		{"gone", "/dev/sdb", 16, false, []carrier{m}, "/dev/sdb"},
		{"clone beside the kernel's name", "/dev/sdb", 16, true, []carrier{b, c}, ""},
		{"clone beside a lasting name", byID, 16, true, []carrier{b, c}, byID},
		{"clones only", "/dev/sde", 64, false, []carrier{b, c}, ""},
		{"clones only, by-id", byID, 0, false, []carrier{b, c}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			backing := catalog.Backing{Kind: catalog.KindDevice, Path: row.path}
			got, err := locate("fast", dmname.Data, backing, no(row.at), row.fits, row.found)
			if row.want == "" {
				if !errors.Is(err, fault.ErrPoolState) ||
					!strings.Contains(err.Error(), "/dev/sdb, /dev/sdc") ||
					!strings.Contains(thintest.Show(host.RemedyOf(err)),
						`fault.NameDisk{Pool:"fast", Role:"data"}`) {
					t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
				}
			} else if err != nil || got.Path != row.want || got.Moved != (row.want != row.path) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
