package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Stray is the folder of a pool that is not there: a crash came before the
// first pool.json, or after the last.
type Stray struct {
	Name, Path string
	Holds      string // a file that is no temp file of ours; "": RemoveStray removes the folder
}

// Strays lists the folders that have a pool's name and no pool.json.
func (s Store) Strays() ([]Stray, error) {
	names, err := s.Halves()
	if err != nil {
		return nil, err
	}
	var all []Stray
	for _, name := range names {
		c := &Catalog{store: s, name: name}
		holds, err := c.holds()
		if err != nil {
			return nil, err
		}
		all = append(all, Stray{Name: name, Path: c.Dir(), Holds: holds})
	}
	return all, nil
}

// holds finds a file that is not to be thrown away unseen.
func (c *Catalog) holds() (string, error) {
	temps, err := c.Temps()
	if err != nil {
		return "", err
	}
	ours := map[string]bool{c.Dir(): true, c.volumeDir(): true, c.sparePath(): true}
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

// RemoveStray removes the folder of a pool that is not there. One that holds
// anything, and one that has become a pool, stays, with an error. The caller
// has the pool's lock.
func (s Store) RemoveStray(name string) error {
	done, err := s.clear(name)
	if err == nil && !done {
		err = fmt.Errorf("%s: not an empty folder of no pool", filepath.Join(s.Dir, name))
	}
	return err
}
