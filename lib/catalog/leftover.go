package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/atomicfile"
	"thinmount/lib/spec"
)

// Temp is a temp file that a crash has left.
type Temp struct {
	Path   string
	Volume string // volume whose record it was to become; or empty
}

// Temps lists the temp files in the pool's folder. If the caller holds the
// pool's lock exclusively, no process is writing one of them, except the temp
// file of a record: a mount writes the record of its volume.
func (c *Catalog) Temps() ([]Temp, error) {
	var all []Temp
	for _, dir := range []string{c.Dir(), c.volumeDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if t, ok := c.temp(filepath.Join(dir, e.Name())); ok && !e.IsDir() {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

// temp tells whether a write of the catalog gives a temp file that path.
func (c *Catalog) temp(path string) (t Temp, ok bool) {
	t.Path = path
	switch path {
	case atomicfile.Temp(c.poolPath()), atomicfile.Temp(c.journalPath()):
		return t, true
	}
	dir, name := filepath.Split(path)
	name, hidden := strings.CutPrefix(name, ".")
	t.Volume, ok = strings.CutSuffix(name, suffix+".tmp")
	ok = ok && hidden && filepath.Clean(dir) == c.volumeDir() &&
		spec.CheckVolumeName(t.Volume) == nil
	return t, ok
}

// RemoveTemp removes a file that Temps has listed.
func (c *Catalog) RemoveTemp(t Temp) error {
	if _, ok := c.temp(t.Path); !ok {
		return errors.New(t.Path + ": not a temp file of pool " + c.name)
	}
	if err := c.store.disk.remove(t.Path); err != nil {
		return fmt.Errorf("pool %s: %w", c.name, err)
	}
	return nil
}
