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
}

// Dir returns the path of the pool's folder.
func (c *Catalog) Dir() string { return filepath.Join(c.store.Dir, c.name) }

func (c *Catalog) poolPath() string { return filepath.Join(c.Dir(), poolFile) }

func (c *Catalog) volumeDir() string { return filepath.Join(c.Dir(), volumeDir) }

// Pool returns a copy of what pool.json said when it was last read or written.
func (c *Catalog) Pool() Pool {
	p := c.pool
	p.Intents = slices.Clone(p.Intents)
	return p
}

// Reload reads pool.json again. A caller that has unlocked the pool calls it
// after it has locked the pool again.
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
			c.pool = p
			return nil
		}
		if before != nil && bytes.Equal(before, b) {
			if err := c.misplaced(b); err != nil {
				return err
			}
			return &CorruptError{c.poolPath(), reason}
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

// SetPool changes pool.json by calling change. When it returns nil, the new
// content is durable. After an error the file has its old content, unless the
// disk refuses even to put that back; Reload shows which. If the power fails
// after an error, either content may be left. change must not change the name
// or the uuid. The caller holds the pool's lock exclusively.
func (c *Catalog) SetPool(change func(*Pool)) error {
	p := c.Pool()
	change(&p)
	if p.Name != c.pool.Name || p.UUID != c.pool.UUID {
		return fmt.Errorf("pool %s: name and uuid cannot be changed", c.name)
	}
	return c.write(p)
}

func (c *Catalog) write(p Pool) error {
	p.Format = format
	p.Intents = slices.Clone(p.Intents)
	b, reason := encodePool(p)
	if reason != "" {
		return fmt.Errorf("pool %s: %s", c.name, reason)
	}
	err := c.store.disk.replace(c.poolPath(), b)
	if noRoom(err) {
		if e := c.store.disk.replaceOnFull(c.poolPath(), c.sparePath(), b); e == nil {
			c.pool = p
			return nil
		} else if !noRoom(e) && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("pool %s: %w", c.name, err)
	}
	c.pool = p
	c.store.disk.keepSpare(c.sparePath())
	return nil
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
	if err := d.remove(c.poolPath()); err != nil {
		return err
	}
	if err := d.remove(c.Dir()); !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	return nil
}
