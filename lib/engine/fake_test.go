package engine

import (
	"os"
	"path/filepath"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// testPool returns an active pool demo of the fake kernel k, on files or
// devices. It collects the pool's warnings.
func testPool(t *testing.T, kind string) (p *Pool, k *thintest.Kernel, warnings *[]string) {
	t.Helper()
	dir := t.TempDir()
	warnings = new([]string)
	s := thintest.System(dir)
	s.Warn = func(w fault.Message) { *warnings = append(*warnings, w.String()) }
	cat := thintest.Catalog(t, s, kind, dir)
	k = &thintest.Kernel{
		PoolUUID: dmname.PartUUID(thintest.UUID, dmname.Pool),
		Mode:     "rw",
		IDs:      map[uint32]bool{},
		Open:     map[string]int{},
	}
	c := dm.NewControl(k.Call)
	return &Pool{Sys: s, DM: c, Catalog: cat, Target: thinpool.New(c, k.PoolUUID)}, k, warnings
}

// withVolume adds a volume to the pool and the kernel, and intents to the pool.
func withVolume(
	t *testing.T, p *Pool, k *thintest.Kernel, name string, id uint32, ops ...catalog.Intent,
) catalog.Volume {
	t.Helper()
	k.IDs[id] = true
	v := catalog.Volume{Name: name, Pool: p.Name(), PoolUUID: p.UUID(), ID: id, Size: 1 << 20}
	err := p.Catalog.PutVolume(v)
	if err == nil {
		err = p.Catalog.SetPool(func(c *catalog.Pool) {
			c.NextID = max(c.NextID, id+1)
			for _, op := range ops {
				c.BeginIntent(op)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// OnDisk returns the pool as pool.json has it.
func OnDisk(t *testing.T, p *Pool) catalog.Pool {
	t.Helper()
	cat, err := registry.OpenCatalog(p.Sys, p.Name())
	if err != nil {
		t.Fatal(err)
	}
	return cat.Pool()
}

// breakDisk makes every later write of pool.json fail.
func breakDisk(t *testing.T, p *Pool) {
	t.Helper()
	if err := os.MkdirAll(
		filepath.Join(p.Catalog.Dir(), ".pool.json.tmp", "full"), 0o700,
	); err != nil {
		t.Fatal(err)
	}
}
