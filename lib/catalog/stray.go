package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/privdir"
)

// Stray is the folder of a pool that is not there: a crash came before the first pool.json, or after the last.
type Stray struct {
	Name, Path string
	Holds      string // a file in it that is no temp file of ours; "" when there is none, and RemoveStray removes it
}

// Strays lists the folders that have a pool's name and no pool.json.
func (s Store) Strays() ([]Stray, error) {
	if err := privdir.Check(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	var all []Stray
	for _, e := range entries {
		c := &Catalog{store: s, name: e.Name()}
		if CheckPoolName(e.Name()) != nil || !e.IsDir() || e.Name() == "lost+found" { // of a filesystem of its own, fsck(8)
			continue
		}
		if _, err := os.Lstat(c.poolPath()); !os.IsNotExist(err) {
			continue
		}
		holds, err := c.holds()
		if err != nil {
			return nil, err
		}
		all = append(all, Stray{Name: e.Name(), Path: c.Dir(), Holds: holds})
	}
	return all, nil
}

// holds finds a file that is not to be thrown away unseen.
func (c *Catalog) holds() (string, error) {
	temps, err := c.Temps()
	if err != nil {
		return "", err
	}
	ours := map[string]bool{c.Dir(): true, c.volumeDir(): true}
	for _, t := range temps {
		ours[t.Path] = true
	}
	holds := ""
	err = filepath.WalkDir(c.Dir(), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && !ours[path] {
			holds = path
			return fs.SkipAll
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it goes while we look
	}
	return holds, err
}

// RemoveStray removes the folder of a pool that is not there. One that holds anything, and one that has become a pool, stays, with an
// error. The caller has the pool's lock.
func (s Store) RemoveStray(name string) error {
	strays, err := s.Strays()
	if err != nil {
		return err
	}
	for _, stray := range strays {
		if stray.Name == name && stray.Holds == "" {
			c := &Catalog{store: s, name: name}
			return wrap(errors.Join(s.disk.removeAll(c.Dir()), s.disk.syncDir(s.Dir)))
		}
	}
	return fmt.Errorf("catalog: %s: not an empty folder of no pool", filepath.Join(s.Dir, name))
}
