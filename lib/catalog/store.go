// Package catalog keeps what the kernel does not know about pools and volumes:
// names, sizes, origins, and what is being done.
//
//	DIR/                       0700
//	  POOL/                    0700
//	    pool.json              0600  Pool: identity, disks, operations
//	    volumes/               0700
//	      VOLUME.json          0600  Volume: thin id, size, origin, filesystem
//	    data, metadata               the pool's backing files, unless elsewhere
//
// The files are indented JSON of at most 1 MiB; fields that this version does
// not know are passed over, and lost when it writes the file. Each carries a
// format number, its own name and, in a volume's case, the pool's uuid, so that
// a file that was put in a wrong place is noticed. Names that begin with a dot
// are temp files that a crash may leave; the next write of the same file takes
// them along.
//
// The package neither locks nor talks to the kernel. Who changes anything holds
// the pool's lock exclusively.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/privdir"
)

// Store is the directory that holds all pools' catalogs. Its parent must exist.
// Store may be used by many goroutines.
type Store struct {
	Dir string // /var/lib/thin

	disk disk
}

const (
	poolFile  = "pool.json"
	volumeDir = "volumes"
	suffix    = ".json"
)

// Pools lists the names of all pools in order, incomplete ones too. Without a
// store there are none.
func (s Store) Pools() ([]string, error) {
	if err := privdir.Check(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if CheckPoolName(e.Name()) != nil || !e.IsDir() {
			continue
		}
		if _, err := os.Lstat(filepath.Join(s.Dir, e.Name(), poolFile)); err == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Open reads a pool's pool.json. Errors: *NameError, ErrNoPool, *CorruptError,
// *MisplacedError for a folder that was copied or moved, *privdir.Error for a
// directory in which others may write.
func (s Store) Open(name string) (*Catalog, error) {
	if err := CheckPoolName(name); err != nil {
		return nil, err
	}
	c := &Catalog{store: s, name: name}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Create makes the catalog of a new pool; Format is filled in. Errors:
// *NameError, fs.ErrExist.
func (s Store) Create(p Pool) (*Catalog, error) {
	if err := CheckPoolName(p.Name); err != nil {
		return nil, err
	}
	c := &Catalog{store: s, name: p.Name}
	for _, dir := range []string{s.Dir, c.Dir(), c.volumeDir()} {
		if err := s.disk.mkdir(dir); err != nil {
			return nil, fmt.Errorf("pool %s: %w", p.Name, err)
		}
	}
	if _, err := os.Lstat(c.poolPath()); err == nil {
		return nil, fmt.Errorf("pool %s: %w", p.Name, errExist)
	}
	if err := c.write(p); err != nil {
		return nil, err
	}
	return c, nil
}
