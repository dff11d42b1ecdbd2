package volumes

import (
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// testPool makes the pool demo, on files or on devices (kind), and a fake
// kernel in which it is active.
func testPool(t *testing.T, kind string) (*engine.Pool, *thintest.Kernel) {
	t.Helper()
	dir := t.TempDir()
	s := thintest.System(dir)
	cat := thintest.Catalog(t, s, kind, dir)
	k := &thintest.Kernel{PoolUUID: dmname.PartUUID(thintest.UUID, dmname.Pool), Mode: "rw",
		IDs: map[uint32]bool{}, Open: map[string]int{}}
	c := dm.NewControl(k.Call)
	return &engine.Pool{Sys: s, DM: c, Catalog: cat, Target: thinpool.New(c, k.PoolUUID)}, k
}

// withVolume adds a volume to the pool's catalog and to the fake kernel.
func withVolume(
	t *testing.T, p *engine.Pool, k *thintest.Kernel, name string, id uint32,
) catalog.Volume {
	t.Helper()
	k.IDs[id] = true
	v := catalog.Volume{Name: name, Pool: p.Name(), PoolUUID: p.UUID(), ID: id, Size: 1 << 20}
	if err := p.Catalog.PutVolume(v); err != nil {
		t.Fatal(err)
	}
	return v
}
