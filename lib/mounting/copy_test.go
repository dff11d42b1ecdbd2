package mounting

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
	"thinmount/lib/thintest"
)

// A mount asks the kernel what the active pool lies on, unless the record of
// this volume's mount says that it is what the catalog leads to.
func TestRefuseCopyAsks(t *testing.T) {
	dir := t.TempDir()
	s := thintest.System(dir)
	cat := thintest.Catalog(t, s, "file", dir)
	for _, path := range []string{cat.Pool().Data.Path, cat.Pool().Metadata.Path} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	below := backing.Below(cat.Pool())
	for _, row := range []struct {
		name, device, below string
		replaced            bool
		asks                bool
	}{
		{"as at the mount", "thin-demo@v", below, false, false},
		{"not known", "thin-demo@v", "", false, true},
		{"another file", "thin-demo@v", "file 1 of 8:1 file 2 of 8:1", false, true},
		{"under another name", "thin-copy@v", below, false, true},
		{"the file was replaced", "thin-demo@v", below, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := 0
			m := &mounting{System: s, cat: cat, c: dm.NewControl(func(uint, []byte) error {
				asked++
				return unix.ENXIO
			})}
			if path := cat.Pool().Data.Path; row.replaced {
				if err := errors.Join(os.Rename(path, path+".old"),
					os.WriteFile(path, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			err := m.refuseCopy(thintest.Volume("v", 1))(
				dm.Info{Name: row.device}, refcount.Record{Below: row.below})
			if err != nil || (asked > 0) != row.asks || !m.active {
				t.Errorf("asked %d times, %v", asked, err)
			}
		})
	}
}
