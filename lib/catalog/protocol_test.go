package catalog

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// protocol runs creates and deletes as docs/design.md has them, each in a process that can crash, and recovers as it says.
type protocol struct {
	m         *machine
	k         *fakePool
	s         Store
	committed map[string]uint32 // what users have been told that exists
	deleting  map[string]uint32 // deletes whose owners live and discard; they hold the volume's lock
	doubtful  string            // what a crashed process was about
	serial    int
}

func (p *protocol) open(t *rapid.T) *Catalog {
	c, err := p.s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs one process; should it crash, a next one recovers.
func (p *protocol) run(t *rapid.T, volume string, steps func(*Catalog) error) (crashed bool) {
	p.m.fuse = rapid.IntRange(0, 40).Draw(t, "steps until a crash")
	err := steps(p.open(t))
	if err != nil && !p.m.dead {
		t.Fatal(err)
	}
	if crashed = p.m.dead; crashed {
		p.doubtful = volume
		p.crash(t)
	}
	p.m.fuse = -1
	return crashed
}

func (p *protocol) crash(t *rapid.T) {
	for p.m.dead {
		if rapid.Bool().Draw(t, "power cut") {
			p.m.powerCut(t,
				func(size int64) int64 { return rapid.Int64Range(0, size).Draw(t, "bytes that were written") },
				func() bool { return rapid.Bool().Draw(t, "lost") })
			clear(p.deleting) // their owners are dead
		} else {
			p.m.restart()
		}
		p.m.fuse = rapid.IntRange(0, 40).Draw(t, "steps until a crash in recovery")
		if err := p.recover(p.open(t)); err != nil && !p.m.dead {
			t.Fatal(err)
		}
	}
	p.m.fuse = -1
}

func (p *protocol) recover(c *Catalog) error {
	steps, err := c.Recovery(p.k.tid)
	for _, s := range steps {
		if err == nil {
			err = p.step(c, s)
		}
	}
	return err
}

func (p *protocol) step(c *Catalog, s Step) error {
	op := s.Operation
	_, owned := p.deleting[op.Volume]
	switch {
	case s.InKernel:
		return p.finishDelete(c, op)
	case owned:
		return nil
	case op.Op == OpCreate:
		return first(
			func() error { return c.RemoveVolume(op.Volume) },
			func() error { return c.SetPool(func(p *Pool) { p.Abandon(op.Volume) }) })
	}
	return p.deleteID(c, op)
}

// first runs functions until one fails.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (p *protocol) create(c *Catalog, name string, format bool) error {
	pool := c.Pool()
	op := Operation{OpCreate, name, pool.NextID, pool.TransactionID + 1}
	err := first(
		func() error { return c.SetPool(func(p *Pool) { p.Begin(op) }) },
		func() error { return p.k.setTransactionID(pool.TransactionID) },
		func() error { return p.k.create(op.ID) },
		func() error {
			return c.PutVolume(Volume{Name: name, ID: op.ID, Size: 512, TransactionID: op.TransactionID})
		})
	if err != nil || !format {
		return errors.Join(err, ifNil(err, func() error { return c.SetPool(func(p *Pool) { p.Finish(name) }) }))
	}
	return first(
		func() error {
			return c.SetPool(func(p *Pool) { p.FinishInto(Operation{OpFormat, name, op.ID, 0}) })
		},
		p.m.tick, // mkfs
		func() error { return c.SetPool(func(p *Pool) { p.Finish(name) }) })
}

func ifNil(err error, do func() error) error {
	if err != nil {
		return nil
	}
	return do()
}

// deleteID is delete from step 3 on.
func (p *protocol) deleteID(c *Catalog, op Operation) error {
	old := c.Pool().TransactionID
	op = Operation{OpDelete, op.Volume, op.ID, old + 1}
	return first(
		func() error { return c.SetPool(func(p *Pool) { p.Begin(op) }) },
		func() error { return p.k.setTransactionID(old) },
		func() error { return p.finishDelete(c, op) })
}

func (p *protocol) finishDelete(c *Catalog, op Operation) error {
	if err := p.k.delete(op.ID); err != nil && !errors.Is(err, errNoID) {
		return err
	}
	return first(
		func() error { return c.RemoveVolume(op.Volume) },
		func() error { return c.SetPool(func(p *Pool) { p.Finish(op.Volume) }) })
}

func (p *protocol) Create(t *rapid.T) {
	p.serial++
	name := fmt.Sprintf("v%d", p.serial)
	format := rapid.Bool().Draw(t, "format")
	if !p.run(t, name, func(c *Catalog) error { return p.create(c, name, format) }) {
		v, err := p.open(t).Volume(name)
		if err != nil {
			t.Fatal(err)
		}
		p.committed[name] = v.ID
	}
}

// DeleteBegin is step 1: the owner goes on to discard.
func (p *protocol) DeleteBegin(t *rapid.T) {
	if len(p.committed) == 0 {
		return
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(p.committed))).Draw(t, "volume")
	id := p.committed[name]
	delete(p.committed, name)
	if !p.run(t, name, func(c *Catalog) error {
		return c.SetPool(func(p *Pool) { p.Begin(Operation{OpDelete, name, id, 0}) })
	}) {
		p.deleting[name] = id
	}
}

// DeleteEnd is the rest.
func (p *protocol) DeleteEnd(t *rapid.T) {
	if len(p.deleting) == 0 {
		return
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(p.deleting))).Draw(t, "volume")
	id := p.deleting[name]
	delete(p.deleting, name)
	p.run(t, name, func(c *Catalog) error { return p.deleteID(c, Operation{Volume: name, ID: id}) })
}

// Check compares catalog, pool and what users know.
func (p *protocol) Check(t *rapid.T) {
	c := p.open(t)
	visible, err := c.Volumes()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint32{}
	for _, v := range visible {
		got[v.Name] = v.ID
	}
	if id, ok := got[p.doubtful]; ok { // its user was told nothing: either is right, but from now on it counts
		p.committed[p.doubtful] = id
	}
	p.doubtful = ""
	if !maps.Equal(got, p.committed) {
		t.Fatalf("volumes %v, want %v", got, p.committed)
	}
	ids := map[uint32]bool{}
	for _, with := range []map[string]uint32{p.committed, p.deleting} {
		for _, id := range with {
			ids[id] = true
		}
	}
	if !maps.Equal(ids, p.k.ids) {
		t.Fatalf("ids in the pool %v, want %v", p.k.ids, ids)
	}
	pool := c.Pool()
	if pool.TransactionID != p.k.tid || len(pool.Operations) != len(p.deleting) {
		t.Fatalf("pool.json: %+v; kernel at %d; being deleted %v", pool, p.k.tid, p.deleting)
	}
	if all, err := c.VolumesAnyState(); err != nil || len(all) != len(ids) {
		t.Fatalf("records %v, %v; ids %v", all, err, ids)
	}
}

// memory is a new directory where fsync costs nothing, if there is such a place: the crashes are simulated.
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
			m: m, k: &fakePool{m: m, tid: 4, ids: map[uint32]bool{}, used: map[uint32]bool{}},
			s:         Store{Dir: filepath.Join(dir, "thin"), disk: disk{before: m.before}},
			committed: map[string]uint32{}, deleting: map[string]uint32{},
		}
		pool := goodPool()
		pool.Operations = nil
		if _, err := p.s.Create(pool); err != nil {
			t.Fatal(err)
		}
		t.Repeat(rapid.StateMachineActions(p))
	})
}
