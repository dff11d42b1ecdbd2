// Package catalog stores what the kernel does not know about pools and volumes:
// names, sizes, origins, and the intents of commands.
//
//	DIR/                       0700
//	  POOL/                    0700
//	    pool.json              0600  Pool: identity, disks, properties
//	    journal                0600  transaction id, next thin id, intents
//	    volumes/               0700
//	      VOLUME.json          0600  Volume: thin id, size, origin, filesystem
//	    data, metadata               the pool's backing files, unless elsewhere
//
// The JSON files are indented and have at most 1 MiB. A field that this version
// does not know is ignored, and lost when this version writes the file. Each
// file has a format number and its own name. A volume's file also has the
// pool's uuid. So the package notices a file in a wrong place. A name that
// begins with a dot is that of a temp file that a crash may leave. The next
// write of the
// same file uses that name again and removes it.
//
// The package takes no locks and does not talk to the kernel. A caller that
// changes anything holds the pool's lock exclusively. There is one exception: a
// mount writes the record of its volume while it holds the volume's lock, and
// the pool's lock shared.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/privdir"
	"thinmount/lib/spec"
)

// Store is the directory that holds the catalogs of all pools. Its parent must
// exist. Several goroutines may use a Store at the same time.
type Store struct {
	Dir string // /var/lib/thin

	disk disk
}

const (
	poolFile  = "pool.json"
	volumeDir = "volumes"
	suffix    = ".json"
)

// Pools lists the names of all pools in order, incomplete ones too. If the
// store's directory does not exist, there are none.
func (s Store) Pools() ([]string, error) {
	return s.folders(func(_ string, err error) bool { return err == nil })
}

// folders lists the folders that have a pool's name and that choose wants. err
// is the error of looking for the folder's pool.json.
func (s Store) folders(choose func(name string, err error) bool) ([]string, error) {
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
		if spec.CheckPoolName(e.Name()) != nil || !e.IsDir() {
			continue
		}
		_, err := os.Lstat(filepath.Join(s.Dir, e.Name(), poolFile))
		if choose(e.Name(), err) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Open reads the pool.json of a pool. Errors: *spec.NameError, ErrNoPool,
// *CorruptError, *MisplacedError for a folder that was copied or moved,
// *privdir.Error for a directory in which other users may write.
func (s Store) Open(name string) (*Catalog, error) {
	if err := spec.CheckPoolName(name); err != nil {
		return nil, err
	}
	c := &Catalog{store: s, name: name}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Create makes the catalog of a new pool. It fills in Format. Errors:
// *spec.NameError, fs.ErrExist.
func (s Store) Create(p Pool) (*Catalog, error) {
	if err := spec.CheckPoolName(p.Name); err != nil {
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
