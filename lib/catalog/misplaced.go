package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"thinmount/lib/jsonfile"
	"thinmount/lib/spec"
)

// Placement says why the folder of a pool has another name than the pool.
type Placement int

// The values of Placement.
const (
	Moved  Placement = iota // no pool has the name that pool.json says
	Copied                  // the pool exists under its name, and this is a copy of it
	Other                   // another pool has that name
)

// MisplacedError says that a folder holds a pool.json with another name,
// because a user has copied or moved the folder. Such a folder is not a pool.
type MisplacedError struct {
	Dir   string // the folder
	Pool  string // name of the pool in it
	UUID  string // uuid of that pool
	Place Placement
}

// Error says what the folder is.
func (e *MisplacedError) Error() string {
	switch e.Place {
	case Copied:
		return "is a copy of pool " + e.Pool
	case Other:
		return "holds a pool named " + e.Pool + ", but another pool of that name is there"
	}
	return "is pool " + e.Pool + ", which was moved"
}

// misplaced returns a *MisplacedError if b is a sound pool.json with another
// name, and nil if b is damaged.
func (c *Catalog) misplaced(b []byte) error {
	var p Pool
	if jsonfile.Decode(b, &p) != "" || p.flaw() != "" ||
		p.Name == c.name || spec.CheckPoolName(p.Name) != nil {
		return nil
	}
	e := &MisplacedError{Dir: c.Dir(), Pool: p.Name, UUID: p.UUID, Place: Moved}
	there := &Catalog{store: c.store, name: p.Name}
	b, err := read(there.poolPath())
	if errors.Is(err, fs.ErrNotExist) {
		return e
	}
	e.Place = Other
	if own, reason := decodePool(b, p.Name); err == nil && reason == "" && own.UUID == p.UUID {
		e.Place = Copied
	}
	return e
}

// Misplaced finds the folder that holds the pool of that name, if the pool's
// own folder does not exist. It returns nil if there is none.
func (s Store) Misplaced(pool string) *MisplacedError {
	names, err := s.Pools()
	if err != nil {
		return nil
	}
	for _, name := range names {
		var e *MisplacedError
		if _, err := s.Open(name); errors.As(err, &e) && e.Pool == pool && e.Place == Moved {
			return e
		}
	}
	return nil
}

// CopyVolumes names the volumes that have records in the folder of a copied
// pool.
func (s Store) CopyVolumes(name string) ([]string, error) {
	c := &Catalog{store: s, name: name}
	return c.recordNames()
}

// DestroyCopy is Destroy for the folder of a copied pool. It does not touch the
// pool itself. The caller holds the lock of the folder's name, and has removed
// the other files in the folder.
func (s Store) DestroyCopy(name string) error {
	var e *MisplacedError
	_, err := s.Open(name)
	if !errors.As(err, &e) || e.Place != Copied {
		return fmt.Errorf("%s: is not the copy of a pool", filepath.Join(s.Dir, name))
	}
	return (&Catalog{store: s, name: name}).Destroy()
}
