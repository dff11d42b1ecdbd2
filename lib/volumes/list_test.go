package volumes

import (
	"testing"

	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// If a volume is mounted in another mount namespace, list shows a path that
// leads to it here, or a process whose namespace has it.
func TestListedElsewhere(t *testing.T) {
	rec := refcount.Record{Dev: "253:3", MountedOn: "/mnt", References: 2, Elsewhere: true}
	tables := func() []registry.ProcTable {
		return []registry.ProcTable{{Pid: 1}, {
			Pid: 40, Ns: 9, Mounts: []*mountinfo.Info{{Major: 253, Minor: 3, Mountpoint: "/there"}},
		}}
	}
	nobody := func() []registry.ProcTable { return nil }
	for _, row := range []struct {
		name   string
		here   []string
		tables func() []registry.ProcTable
		dir    string
		pid    int
	}{
		{"in a process's namespace", nil, tables, "/there", 40},
		{"where nobody is to be seen", nil, nobody, "/mnt", 0},
		{"a copy on the same path", []string{"/a", "/mnt"}, tables, "/mnt", 0},
		{"a copy on another path", []string{"/a", "/b"}, tables, "/a", 0},
	} {
		var obs refcount.Observed
		for _, dir := range row.here {
			obs.Mounts = append(obs.Mounts, refcount.MountPoint{Path: dir})
		}
		i := VolumeInfo{MountedOn: rec.MountedOn, Device: "/dev/mapper/thin-p@v"}
		i.lookElsewhere(rec, obs, row.tables)
		if i.MountedOn != row.dir || i.MountedIn != row.pid {
			t.Errorf("%s: %s, %d", row.name, i.MountedOn, i.MountedIn)
		}
	}
}
