package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/privdir"
)

// Catalog is the catalog of one pool. Only one goroutine may use it at a time.
// It knows what the files said at its last read. So the caller reads it (Open,
// Reload) after it has taken the pool's lock.
type Catalog struct {
	store Store
	name  string
	pool  Pool

	number uint64       // of the journal's content; 0 if there is no journal yet
	dir    *privdir.Dir // the volumes' folder while all records are read, or nil
}

// Dir returns the path of the pool's folder.
func (c *Catalog) Dir() string { return filepath.Join(c.store.Dir, c.name) }

func (c *Catalog) poolPath() string { return filepath.Join(c.Dir(), poolFile) }

func (c *Catalog) volumeDir() string { return filepath.Join(c.Dir(), volumeDir) }

// Pool returns a copy of what pool.json and the journal said when they were
// last read or written.
func (c *Catalog) Pool() Pool {
	p := c.pool
	p.Intents, p.done = slices.Clone(p.Intents), slices.Clone(p.done)
	return p
}

// Reload reads pool.json and the journal again. A caller that has unlocked the
// pool calls it after it has locked the pool again.
func (c *Catalog) Reload() error {
	if err := c.check(); err != nil {
		return err
	}
	var before []byte
	for {
		b, err := read(c.poolPath())
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("pool %s: %w", c.name, ErrNoPool)
		}
		if err != nil {
			return err
		}
		p, reason := decodePool(b, c.name)
		if reason == "" {
			if p.Format == 1 {
				c.number = 0 // a journal, if there is one, is not in use yet
			} else if err := c.readJournal(&p); err != nil {
				return err
			}
			c.pool = p
			return nil
		}
		if before != nil && bytes.Equal(before, b) {
			if err := c.misplaced(b); err != nil {
				return err
			}
			return &CorruptError{Path: c.poolPath(), Reason: reason}
		}
		// On a full filesystem another command writes pool.json by way of the
		// spare. Then the file that we had open may have become the spare, and
		// may have been overwritten while we read it.
		before = append([]byte{}, b...)
		time.Sleep(time.Millisecond)
	}
}

// check returns an error if other users can write to one of the catalog's
// directories.
func (c *Catalog) check() error {
	for _, dir := range []string{c.store.Dir, c.Dir(), c.volumeDir()} {
		err := privdir.Check(dir)
		if errors.Is(err, fs.ErrNotExist) {
			if dir == c.volumeDir() {
				continue // Destroy has begun
			}
			return fmt.Errorf("pool %s: %w", c.name, ErrNoPool)
		}
		if err != nil {
			return fmt.Errorf("pool %s: %w", c.name, err)
		}
	}
	return nil
}

// SetPool changes the pool by calling change. When it returns nil, the new
// content is durable. It writes pool.json or the journal, or both; if change
// changes nothing, it writes the journal. After an error each file has its old
// content, unless the disk refuses even to put that back; Reload shows which.
// If the power fails after an error, either content may be left. change must
// not change the name or the uuid. The caller holds the pool's lock
// exclusively.
func (c *Catalog) SetPool(change func(*Pool)) error {
	p := c.Pool()
	change(&p)
	if p.Name != c.pool.Name || p.UUID != c.pool.UUID {
		return fmt.Errorf("pool %s: name and uuid cannot be changed", c.name)
	}
	return c.write(p)
}

func (c *Catalog) write(p Pool) error {
	p.Format = poolFormat
	old, new := c.pool.config(), p.config()
	before, _ := encode(old)
	after, reason := encode(new)
	if reason == "" {
		reason = p.flaw()
	}
	if reason != "" {
		return fmt.Errorf("pool %s: %s", c.name, reason)
	}
	inJournal := func() error { return c.writeJournal(&p) }
	inPool := func() error { return c.writePool(after) }
	steps := []func() error{inJournal, inPool}
	_, incomplete := p.Incomplete()
	switch {
	case c.pool.Format != poolFormat: // pool.json says from when on the journal counts
	case bytes.Equal(before, after):
		steps = []func() error{inJournal}
	case p.inJournal(c.pool):
		steps = []func() error{inPool}
	case incomplete: // the pool must not look whole without its intents
		steps = []func() error{inPool, inJournal}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("pool %s: %w", c.name, err)
		}
	}
	c.pool = p
	return nil
}

// config returns the part of p that pool.json has.
func (p Pool) config() Pool {
	p.Format = poolFormat
	p.TransactionID, p.NextID, p.done = 0, 0, nil
	p.Intents = slices.DeleteFunc(slices.Clone(p.Intents),
		func(op Intent) bool { return op.Volume != "" })
	if len(p.Intents) == 0 {
		p.Intents = nil
	}
	return p
}

// inJournal says whether the journal of old holds all that p has for it.
func (p Pool) inJournal(old Pool) bool {
	ofVolumes := func(p Pool) []Intent {
		return slices.DeleteFunc(slices.Clone(p.Intents),
			func(op Intent) bool { return op.Volume == "" })
	}
	return p.TransactionID == old.TransactionID && p.NextID == old.NextID &&
		slices.Equal(ofVolumes(p), ofVolumes(old)) && len(p.done) == len(old.done)
}

// writePool writes pool.json.
func (c *Catalog) writePool(b []byte) error {
	err := c.store.disk.replace(c.poolPath(), b)
	if noRoom(err) {
		e := c.store.disk.replaceOnFull(c.poolPath(), c.sparePath(), b)
		if e == nil {
			return nil
		}
		if !noRoom(e) && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err == nil {
		c.store.disk.keepSpare(c.sparePath())
	}
	return err
}

// Destroy removes the catalog of a pool whose backing files are gone. It
// removes pool.json last, so that after a crash the pool can be destroyed
// again. It leaves the folder if the folder holds anything else. If the pool
// does not exist, Destroy returns nil.
func (c *Catalog) Destroy() error {
	if err := c.destroy(); err != nil {
		return fmt.Errorf("pool %s: %w", c.name, err)
	}
	return nil
}

func (c *Catalog) destroy() error {
	d := c.store.disk
	if _, err := os.Lstat(c.Dir()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	temps, err := c.Temps()
	if err != nil {
		return err
	}
	for _, t := range temps {
		if err := d.remove(t.Path); err != nil {
			return err
		}
	}
	if err := d.removeAll(c.volumeDir()); err != nil {
		return err
	}
	if err := d.syncDir(c.Dir()); err != nil {
		return err
	}
	if err := d.dropSpare(c.sparePath()); err != nil {
		return err
	}
	if err := d.remove(c.journalPath()); err != nil {
		return err
	}
	if err := d.remove(c.poolPath()); err != nil {
		return err
	}
	if err := d.remove(c.Dir()); !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	return nil
}
