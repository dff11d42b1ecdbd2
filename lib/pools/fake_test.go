package pools

import (
	"path/filepath"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// testPool returns a pool "demo" that is active in a fake kernel. kind says
// whether it lies on files or on devices.
func testPool(t *testing.T, kind string) (*engine.Pool, *thintest.Kernel) {
	t.Helper()
	s, cat, k := thintest.Active(t, kind)
	c := dm.NewControl(k.Call)
	return &engine.Pool{Sys: s, DM: c, Catalog: cat, Target: thinpool.New(c, k.PoolUUID)}, k
}

// halfMadePool returns a pool whose catalog says that it is being made. Its
// files would lie in dir, or in the pool's own folder if dir is "".
func halfMadePool(t *testing.T, s *host.System, dir string) *engine.Pool {
	t.Helper()
	if dir == "" {
		dir = filepath.Join(s.StateDir, "demo")
	}
	cat := thintest.Catalog(t, s, catalog.KindFile, dir, catalog.Intent{Op: catalog.OpCreatePool})
	return &engine.Pool{Sys: s, DM: thintest.NoDevices(), Catalog: cat}
}
