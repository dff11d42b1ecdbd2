package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
			if dir == c.Dir() && e.Name() == "."+journalFile+".tmp" && !e.IsDir() {
				all = append(all, Temp{Path: filepath.Join(dir, e.Name())})
				continue
			}
			name, hidden := strings.CutPrefix(e.Name(), ".")
			name, isTemp := strings.CutSuffix(name, suffix+".tmp")
			if !hidden || !isTemp || e.IsDir() {
				continue
			}
			t := Temp{Path: filepath.Join(dir, e.Name()), Volume: name}
			switch {
			case dir == c.Dir() && name+suffix == poolFile:
				t.Volume = ""
			case dir == c.Dir() || spec.CheckVolumeName(name) != nil:
				continue // not ours
			}
			all = append(all, t)
		}
	}
	return all, nil
}

// RemoveTemp removes a file that Temps has listed.
func (c *Catalog) RemoveTemp(t Temp) error {
	dir := filepath.Dir(t.Path)
	if !strings.HasSuffix(t.Path, ".tmp") || dir != c.Dir() && dir != c.volumeDir() {
		return errors.New("" + t.Path + ": not a temp file of pool " + c.name)
	}
	if err := c.store.disk.remove(t.Path); err != nil {
		return fmt.Errorf("pool %s: %w", c.name, err)
	}
	return nil
}
