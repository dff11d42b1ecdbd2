package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Tidy removes the temp files that writers who were killed have left, and gives the names of all volumes that have a record, readable or
// not, also of those in operations. It reads two folders and no file. The caller holds the pool's lock exclusively.
func (c *Catalog) Tidy() (volumes map[string]bool, err error) {
	volumes = map[string]bool{}
	for _, dir := range []string{c.Dir(), c.volumeDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("catalog: pool %s: %w", c.name, err)
		}
		for _, e := range entries {
			if isTemp(e.Name()) {
				if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, fmt.Errorf("catalog: pool %s: %w", c.name, err)
				}
			}
			if name, ok := strings.CutSuffix(e.Name(), suffix); ok && dir == c.volumeDir() && CheckVolumeName(name) == nil {
				volumes[name] = true
			}
		}
	}
	return volumes, nil
}

// isTemp tells the names that disk.replace uses.
func isTemp(name string) bool { return strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp") }

// Halves lists the folders that have a pool's name and no pool.json: a pool may be in the making or half removed there, which the pool's
// lock tells; if it is free, ClearHalf removes the folder.
func (s Store) Halves() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	var names []string
	for _, e := range entries {
		if CheckPoolName(e.Name()) != nil || !e.IsDir() {
			continue
		}
		if _, err := os.Lstat(filepath.Join(s.Dir, e.Name(), poolFile)); errors.Is(err, fs.ErrNotExist) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// ClearHalf removes what Create leaves when it is killed before there is a pool.json, and Destroy when it is killed after. A folder that
// holds anything else is not touched: it may be the rest of a pool whose pool.json was lost. The caller holds the pool's lock exclusively.
func (s Store) ClearHalf(name string) error {
	if err := CheckPoolName(name); err != nil {
		return err
	}
	c := &Catalog{store: s, name: name}
	if _, err := os.Lstat(c.poolPath()); !errors.Is(err, fs.ErrNotExist) {
		return nil // made meanwhile
	}
	if _, err := c.Tidy(); err != nil {
		return err
	}
	for _, dir := range []string{c.volumeDir(), c.Dir()} {
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) == 0 {
			err = os.Remove(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("catalog: pool %s: %w", name, err)
		}
	}
	return nil
}
