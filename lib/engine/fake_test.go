package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// testPool returns an active pool demo of the fake kernel k, on files or
// devices. It collects the pool's warnings.
func testPool(t *testing.T, kind string) (p *Pool, k *thintest.Kernel, warnings *[]string) {
	t.Helper()
	warnings = new([]string)
	s, cat, k := thintest.Active(t, kind)
	s.Warn = func(w fault.Message) { *warnings = append(*warnings, w.String()) }
	c := dm.NewControl(k.Call)
	lock, err := s.Refs().PoolLock(t.Context(), cat.Pool().Name, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Unlock() })
	return &Pool{Sys: s, DM: c, Catalog: cat, Lock: lock,
		Target: thinpool.New(c, k.PoolUUID)}, k, warnings
}

// withVolume adds a volume to the pool and the kernel, and intents to the pool.
func withVolume(
	t *testing.T, p *Pool, k *thintest.Kernel, name string, id spec.ID, ops ...catalog.Intent,
) catalog.Volume {
	t.Helper()
	v := thintest.AddVolume(t, p.Catalog, k, name, id)
	if err := p.Catalog.SetPool(func(c *catalog.Pool) {
		c.NextID = max(c.NextID, id+1)
		for _, op := range ops {
			c.BeginIntent(op)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return v
}

// breakDisk makes every later write of pool.json and of the journal fail.
func breakDisk(t *testing.T, p *Pool) {
	t.Helper()
	// The journal is written in place, unless it has another name.
	journal := filepath.Join(p.Catalog.Dir(), "journal")
	err := os.Link(journal, journal+".backup")
	for _, name := range []string{".pool.json.tmp", ".journal.tmp"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(p.Catalog.Dir(), name, "full"), 0o700))
	}
	if err != nil {
		t.Fatal(err)
	}
}
