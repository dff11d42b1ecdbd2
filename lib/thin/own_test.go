package thin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
)

// TestActiveElsewhere refuses an active part that lies on what is not the pool's
// own, and names both.
func TestActiveElsewhere(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "data")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := catalog.Pool{Name: "demo", UUID: testUUID, Data: catalog.Backing{Kind: catalog.KindFile, Path: own}}
	linear := func(params string) []dm.Target { return []dm.Target{{Length: 8, Type: "linear", Params: params}} }
	info := func(name string) dm.Info { return dm.Info{Name: name, UUID: partUUID(testUUID, partData)} }
	for _, row := range []struct {
		name  string
		table []dm.Target
		info  dm.Info
		want  string // in the error; "" is none
	}{
		{"on a disk", linear("4095:1 2048"), info("thin-demo@@data"), "a copy of it, pool demo, is active on device 4095:1, and this one lies on " + own},
		{"by another name", linear("4095:1 2048"), info("thin-copy@@data"), "a copy of it, pool copy, is active"},
		{"on a loop device that is not to be seen", linear("7:1048575 2048"), info("thin-demo@@data"), "what on cannot be seen"},
		{"table taken away", []dm.Target{{Length: 8, Type: "error"}}, info("thin-demo@@data"), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			other := copyBelow(cfg, partData, row.table, row.info)
			if row.want == "" && other != nil || row.want != "" && (other == nil || !strings.Contains(other.err.Error(), row.want) || !errors.Is(other.err, ErrPoolState) || other.err.Hint == "") {
				t.Errorf("%+v", other)
			}
		})
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	other := copyBelow(cfg, partData, linear("4095:1 2048"), info("thin-demo@@data"))
	if other == nil || !strings.Contains(other.err.Error(), "cannot be told") {
		t.Errorf("its own is not there: %+v", other)
	}
}

// TestSharedFiles refuses a catalog that was copied by hand and names the files
// of the pool that it was copied from. The label tells whose they are.
func TestSharedFiles(t *testing.T) {
	s := stateIn(t.TempDir())
	srv := t.TempDir()
	cat := testCatalog(t, s, catalog.KindFile, srv)
	twin := cat.Pool()
	twin.Name = "twin"
	copied, err := s.catalogs().Create(twin)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(srv, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.Truncate(2<<20), label.Write(f, label.Label{Pool: "demo", UUID: testUUID, Role: "data"})); err != nil {
		t.Fatal(err)
	}
	p, q := &pool{sys: s, dm: noDevices(), cat: cat}, &pool{sys: s, dm: noDevices(), cat: copied}
	if err := p.refuseShared(); err != nil {
		t.Errorf("the pool itself: %v", err)
	}
	if err := q.refuseShared(); !errors.Is(err, ErrPoolState) || !strings.Contains(err.Error(), "is a copy of pool demo") {
		t.Errorf("its copy: %v", err)
	}
}
