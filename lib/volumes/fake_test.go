package volumes

import (
	"testing"

	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// testPool makes the pool demo, on files or on devices (kind), and a fake
// kernel in which it is active.
func testPool(t *testing.T, kind string) (*engine.Pool, *thintest.Kernel) {
	t.Helper()
	s, cat, k := thintest.Active(t, kind)
	c := dm.NewControl(k.Call)
	return &engine.Pool{Sys: s, DM: c, Catalog: cat, Target: thinpool.New(c, k.PoolUUID)}, k
}
