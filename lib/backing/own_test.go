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

// Below names the files that are there now: another file of the same name has
// another.
func TestBelow(t *testing.T) {
	dir := t.TempDir()
	data, meta := filepath.Join(dir, "data"), filepath.Join(dir, "metadata")
	if err := errors.Join(os.WriteFile(data, nil, 0o600),
		os.WriteFile(meta, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	below := func(data, meta string) string {
		return Below(catalog.Pool{Data: catalog.Backing{Path: data},
			Metadata: catalog.Backing{Path: meta}})
	}
	first := below(data, meta)
	if first == "" || first != below(data, meta) || first == below(meta, data) {
		t.Errorf("%q, the other way round %q", first, below(meta, data))
	}
	if err := errors.Join(os.Rename(data, data+".old"),
		os.WriteFile(data, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if again := below(data, meta); again == "" || again == first {
		t.Errorf("of another file: %q, as %q", again, first)
	}
	if moved := below(data+".old", meta); moved != first {
		t.Errorf("by another name: %q, want %q", moved, first)
	}
	for _, none := range []string{below(dir, meta), below(data, "/dev/null"),
		below(filepath.Join(dir, "gone"), meta)} {
		if none != "" {
			t.Errorf("neither a file nor a disk: %q", none)
		}
	}
}
