package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"thinmount/lib/spec"
)

// protocol runs creates and deletes in the order of docs/design.md, each in a
// process that can crash, and recovers as docs/design.md says.
type protocol struct {
	m         *machine
	k         *fakePool
	s         Store
	committed map[string]spec.ID // volumes that users were told exist
	deleting  map[string]spec.ID // deletes whose command still discards, with the volume's lock
	doubtful  string             // the volume on which a crashed process worked
	notes     map[spec.ID]string // the property of each volume that has one
	serial    int
}

// name returns a name that no volume has. Most names were in use before.
func (p *protocol) name(t *rapid.T) string {
	p.serial++
	for i := rapid.IntRange(1, 6).Draw(t, "name"); i <= 6; i++ {
		name := fmt.Sprintf("v%d", i)
		_, there := p.committed[name]
		if _, leaving := p.deleting[name]; !there && !leaving {
			return name
		}
	}
	return fmt.Sprintf("v%d", 6+p.serial)
}

// some returns a volume that exists, or "".
func (p *protocol) some(t *rapid.T) string {
	if len(p.committed) == 0 {
		return ""
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(p.committed))).Draw(t, "volume")
}

func (p *protocol) open(t *rapid.T) *Catalog {
	c, err := p.s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs one process. If it crashes, the next process recovers.
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
				func(size int64) int64 {
					return rapid.Int64Range(0, size).Draw(t, "bytes that were written")
				},
				func() bool { return rapid.Bool().Draw(t, "lost") })
			clear(p.deleting) // their commands are dead
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

// recover does so twice: a create that is finished may leave the intent of a
// run.
func (p *protocol) recover(c *Catalog) (err error) {
	for range 2 {
		steps, e := c.Pool().Recovery(p.k.tid)
		err = errors.Join(err, e)
		for _, s := range steps {
			if err == nil {
				err = p.step(c, s)
			}
		}
	}
	return err
}

func (p *protocol) step(c *Catalog, s Step) error {
	op := s.Operation
	_, owned := p.deleting[op.Volume]
	switch {
	case s.InKernel && op.Op == OpCreate:
		return p.redoCreate(c, op)
	case s.InKernel:
		return first(func() error { return c.CheckID(op) },
			func() error { return p.finishDelete(c, op) })
	case owned:
		return nil
	case op.Op == OpCreate:
		return first(
			func() error { return c.RemoveVolume(op.Volume) },
			func() error { return c.SetPool(func(p *Pool) { p.DropIntent(op.Volume) }) })
	}
	return first(func() error { return c.CheckID(op) }, func() error { return p.deleteID(c, op) })
}

// redoCreate ends a create that has reached the kernel.
func (p *protocol) redoCreate(c *Catalog, op Intent) error {
	switch {
	case !p.k.ids[op.ID] || p.k.made[op.ID] != op.TransactionID:
		return first(func() error { return c.RemoveVolume(op.Volume) },
			func() error { return c.SetPool(func(p *Pool) { p.AbandonIntent(op.Volume) }) })
	case op.Explicit:
		op.Op = OpDelete
		return first(func() error { return c.SetPool(func(p *Pool) { p.BeginIntent(op) }) },
			func() error { return p.finishDelete(c, op) })
	}
	return c.Finish(op.Volume)
}

// first calls functions until one fails.
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
	op := Intent{Op: OpCreate, Volume: name, ID: pool.NextID,
		TransactionID: pool.TransactionID + 1, Explicit: format}
	op.Record = &Volume{Name: name, ID: op.ID, Size: 512, TransactionID: op.TransactionID}
	err := first(
		func() error { return c.SetPool(func(p *Pool) { p.BeginIntent(op) }) },
		func() error { return p.k.setTransactionID(pool.TransactionID) },
		func() error { return p.k.create(op.ID) })
	if err != nil || !format {
		return errors.Join(err, ifNil(err, func() error { return c.Finish(name) }))
	}
	return first(
		func() error { return c.Advance(name, OpFormat) },
		p.m.tick, // mkfs
		func() error { return c.Finish(name) })
}

// runIn makes a volume for a program that runs in it, and then keeps the volume
// or deletes it.
func (p *protocol) runIn(c *Catalog, name string, active, keep bool, v *Volume) error {
	pool := c.Pool()
	op := Intent{Op: OpCreate, Volume: name, ID: pool.NextID, Then: OpRun,
		TransactionID: pool.TransactionID + 1, Explicit: active}
	v.Name, v.ID, v.Size, v.TransactionID = name, op.ID, 512, op.TransactionID
	op.Record = v
	return first(
		func() error { return c.SetPool(func(p *Pool) { p.BeginIntent(op) }) },
		func() error { return p.k.setTransactionID(pool.TransactionID) },
		func() error { return p.k.create(op.ID) },
		func() error { return c.Finish(name) },
		p.m.tick, // the program
		func() error {
			if _, err := c.Volume(name); !errors.Is(err, ErrNoVolume) {
				return fmt.Errorf("%s is seen while a program runs in it: %w", name, err)
			}
			if keep {
				return c.FinishRun(*v)
			}
			return p.deleteID(c, Intent{Volume: name, ID: op.ID})
		})
}

// RunProgram runs a program in a new volume, which has a property from the
// beginning.
func (p *protocol) RunProgram(t *rapid.T) {
	name, keep := p.name(t), rapid.Bool().Draw(t, "keep")
	active := rapid.Bool().Draw(t, "active origin")
	p.serial++
	text := fmt.Sprint(p.serial)
	v := Volume{Properties: spec.Properties{"a.b": text}}
	crashed := p.run(t, name, func(c *Catalog) error { return p.runIn(c, name, active, keep, &v) })
	got, err := p.open(t).Volume(name)
	switch {
	case err == nil && (!keep || got.Properties["a.b"] != text):
		t.Fatalf("%s exists, with %q; keep: %v", name, got.Properties, keep)
	case !crashed && keep != (err == nil):
		t.Fatalf("%s: %v; keep: %v", name, err, keep)
	case err == nil:
		p.committed[name], p.notes[got.ID] = got.ID, text
		p.doubtful = ""
	}
}

func ifNil(err error, do func() error) error {
	if err != nil {
		return nil
	}
	return do()
}

// deleteID is delete from step 3 on.
func (p *protocol) deleteID(c *Catalog, op Intent) error {
	old := c.Pool().TransactionID
	op = Intent{Op: OpDelete, Volume: op.Volume, ID: op.ID, TransactionID: old + 1}
	return first(
		func() error { return c.SetPool(func(p *Pool) { p.BeginIntent(op) }) },
		func() error { return p.k.setTransactionID(old) },
		func() error { return p.finishDelete(c, op) })
}

func (p *protocol) finishDelete(c *Catalog, op Intent) error {
	if err := p.k.delete(op.ID); err != nil && !errors.Is(err, errNoID) {
		return err
	}
	return c.Finish(op.Volume)
}

func (p *protocol) Create(t *rapid.T) {
	name := p.name(t)
	format := rapid.Bool().Draw(t, "format")
	if !p.run(t, name, func(c *Catalog) error { return p.create(c, name, format) }) {
		v, err := p.open(t).Volume(name)
		if err != nil {
			t.Fatal(err)
		}
		p.committed[name] = v.ID
	}
}

// Fill fills the filesystem, or makes room on it.
func (p *protocol) Fill(*rapid.T) { p.m.full = !p.m.full }

// Rename gives a volume another name, and in the next process perhaps its old
// one again. After a crash it has one of the two.
func (p *protocol) Rename(t *rapid.T) {
	old := p.some(t)
	if old == "" {
		return
	}
	name, id := p.name(t), p.committed[old]
	delete(p.committed, old)
	if crashed := p.run(t, name, func(c *Catalog) error { return c.Rename(old, name) }); crashed {
		_, err := p.open(t).Volume(name)
		if errors.Is(err, ErrNoVolume) {
			name = old
		}
		p.doubtful = ""
	}
	p.committed[name] = id
}

// Note sets a property of a volume. After a crash it has the old or the new
// one.
func (p *protocol) Note(t *rapid.T) {
	name := p.some(t)
	if name == "" {
		return
	}
	p.serial++
	id, text := p.committed[name], fmt.Sprint(p.serial)
	if crashed := p.run(t, name, func(c *Catalog) error {
		v, err := c.Volume(name)
		if err != nil {
			return err
		}
		v.Properties = spec.Properties{"a.b": text}
		return c.ReplaceVolume(v)
	}); crashed {
		v, err := p.open(t).Volume(name)
		if got := v.Properties["a.b"]; err != nil || got != text && got != p.notes[id] {
			t.Fatalf("%q, %v; want %q or %q", got, err, p.notes[id], text)
		}
		text = v.Properties["a.b"]
	}
	p.notes[id] = text
}

// TidyUp is what a command that has the pool alone does about files.
func (p *protocol) TidyUp(t *rapid.T) {
	p.run(t, "", func(c *Catalog) error { _, err := c.Tidy(); return err })
}

// DeleteBegin is step 1 of delete. The command goes on to discard.
func (p *protocol) DeleteBegin(t *rapid.T) {
	name := p.some(t)
	if name == "" {
		return
	}
	id := p.committed[name]
	delete(p.committed, name)
	if !p.run(t, name, func(c *Catalog) error {
		return c.SetPool(func(p *Pool) {
			p.BeginIntent(Intent{Op: OpDelete, Volume: name, ID: id})
		})
	}) {
		p.deleting[name] = id
	}
}

// DeleteEnd is the rest of delete.
func (p *protocol) DeleteEnd(t *rapid.T) {
	if len(p.deleting) == 0 {
		return
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(p.deleting))).Draw(t, "volume")
	id := p.deleting[name]
	delete(p.deleting, name)
	p.run(t, name, func(c *Catalog) error { return p.deleteID(c, Intent{Volume: name, ID: id}) })
}
