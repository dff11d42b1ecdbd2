package catalog

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"thinmount/lib/spec"
)

// Check compares the catalog, the pool, and what users were told.
func (p *protocol) Check(t *rapid.T) {
	c := p.open(t)
	visible, err := c.Volumes()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]spec.ID{}
	for _, v := range visible {
		got[v.Name] = v.ID
		if note := v.Properties["a.b"]; note != p.notes[v.ID] {
			t.Fatalf("%s has the property %q, want %q", v.Name, note, p.notes[v.ID])
		}
	}
	// Nobody told the user of the crashed process anything, so the volume may
	// exist or not. If it exists now, it must go on existing.
	if id, ok := got[p.doubtful]; ok {
		p.committed[p.doubtful] = id
	}
	p.doubtful = ""
	if !maps.Equal(got, p.committed) {
		t.Fatalf("volumes %v, want %v", got, p.committed)
	}
	ids := map[spec.ID]bool{}
	for _, with := range []map[string]spec.ID{p.committed, p.deleting} {
		for _, id := range with {
			ids[id] = true
		}
	}
	if !maps.Equal(ids, p.k.ids) {
		t.Fatalf("ids in the pool %v, want %v", p.k.ids, ids)
	}
	pool := c.Pool()
	if pool.TransactionID != p.k.tid || len(pool.Intents) != len(p.deleting) {
		t.Fatalf("pool.json: %+v; kernel at %d; being deleted %v", pool, p.k.tid, p.deleting)
	}
	if all, err := c.VolumesAnyState(); err != nil || len(all) != len(ids) {
		t.Fatalf("records %v, %v; ids %v", all, err, ids)
	}
}

// memory makes a directory in which fsync costs nothing, if there is such a
// place. The crashes are simulated, so fsync has no work to do.
func memory(t fataler) string {
	for _, parent := range []string{"/dev/shm", ""} {
		if dir, err := os.MkdirTemp(parent, "catalog"); err == nil {
			return dir
		}
	}
	t.Fatalf("no directory for temp files")
	return ""
}

func TestProtocolsSurviveCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := memory(t)
		defer os.RemoveAll(dir)
		m := &machine{}
		m.restart()
		p := &protocol{
			m: m,
			k: &fakePool{m: m, tid: 4, ids: map[spec.ID]bool{}, used: map[spec.ID]bool{},
				made: map[spec.ID]uint64{}},
			s:         Store{Dir: filepath.Join(dir, "thin"), disk: disk{before: m.before}},
			committed: map[string]spec.ID{}, deleting: map[string]spec.ID{},
			notes: map[spec.ID]string{},
		}
		pool := goodPool()
		pool.Intents = nil
		if _, err := p.s.Create(pool); err != nil {
			t.Fatal(err)
		}
		t.Repeat(rapid.StateMachineActions(p))
	})
}
