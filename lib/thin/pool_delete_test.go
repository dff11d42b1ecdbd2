package thin

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
)

// TestClearedPoolLeavesNoLock clears away a pool of which a lock is left whose
// volume has no record (any more): nobody would come by for it again.
func TestClearedPoolLeavesNoLock(t *testing.T) {
	dir := t.TempDir()
	s := Default()
	s.StateDir, s.RunDir = filepath.Join(dir, "lib"), filepath.Join(dir, "run")
	cat, err := s.catalogs().Create(catalog.Pool{
		Name: "demo", UUID: testUUID, BlockSize: 128, OnFull: "error", NextID: 1,
		Data:     catalog.Backing{Kind: catalog.KindFile, Path: filepath.Join(dir, "data"), Size: 1 << 30},
		Metadata: catalog.Backing{Kind: catalog.KindFile, Path: filepath.Join(dir, "metadata"), Size: 2 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"demo/left", "other/left"} {
		pool, volume := filepath.Split(name)
		ref, err := s.refs().Lock(t.Context(), filepath.Clean(pool), volume)
		if err != nil {
			t.Fatal(err)
		}
		ref.Close()
	}
	p := &pool{sys: s, dm: dm.NewControl(func(uint, []byte) error { return unix.ENXIO }), cat: cat}
	if err := p.clearHalfMade(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(s.RunDir, "locks"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, []string{"other@left"}) {
		t.Errorf("left: %v, %v; want other@left alone", names, err)
	}
}
