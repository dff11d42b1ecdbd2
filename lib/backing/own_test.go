package backing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/thintest"
)

// TestActiveElsewhere finds an active part that does not lie on the pool's own
// file. The error names what the part lies on.
func TestActiveElsewhere(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "data")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := catalog.Pool{Name: "demo", UUID: thintest.UUID,
		Data: catalog.Backing{Kind: catalog.KindFile, Path: own}}
	linear := func(params string) []dm.Target {
		return []dm.Target{{Length: 8, Type: "linear", Params: params}}
	}
	info := func(name string) dm.Info {
		return dm.Info{Name: name, UUID: dmname.PartUUID(thintest.UUID, dmname.Data)}
	}
	for _, row := range []struct {
		name  string
		table []dm.Target
		info  dm.Info
		want  string // in the error; "" is none
	}{
		{"on a disk", linear("4095:1 2048"), info("thin-demo@@data"),
			"a copy of it, pool demo, is active on device 4095:1, and this one lies on " + own},
		{"by another name", linear("4095:1 2048"), info("thin-copy@@data"),
			"a copy of it, pool copy, is active"},
		{"on a loop device that is not to be seen", linear("7:1048575 2048"),
			info("thin-demo@@data"), "its disks cannot be seen"},
		{"table taken away", []dm.Target{{Length: 8, Type: "error"}}, info("thin-demo@@data"), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			other := CopyBelow(cfg, dmname.Data, row.table, row.info)
			if row.want == "" && other != nil || row.want != "" &&
				(other == nil || !strings.Contains(other.Err.Error(), row.want) ||
					!errors.Is(other.Err, fault.ErrPoolState) || other.Err.Remedy == nil) {
				t.Errorf("%+v", other)
			}
		})
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	other := CopyBelow(cfg, dmname.Data, linear("4095:1 2048"), info("thin-demo@@data"))
	if other == nil || !strings.Contains(other.Err.Error(), "cannot be told") {
		t.Errorf("its own is not there: %+v", other)
	}
}
