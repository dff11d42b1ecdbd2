package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Stray is a folder without a pool.json: a crash came before the pool's first
// pool.json was written, or after the last one was removed.
type Stray struct {
	Name, Path string
	// Holds is a file in the folder that is no temp file of ours. If it is "",
	// RemoveStray removes the folder.
	Holds string
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

// holds finds a file in the folder that may be somebody's data. It returns ""
// if there is none.
func (c *Catalog) holds() (string, error) {
	temps, err := c.Temps()
	if err != nil {
		return "", err
	}
	ours := map[string]bool{c.Dir(): true, c.volumeDir(): true, c.sparePath(): true,
		c.journalPath(): true}
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
		err = nil // another command removes it while we look
	}
	return holds, err
}

// RemoveStray removes a folder without a pool.json. If the folder holds
// anything, or has become a pool, it stays, and the result is an error. The
// caller holds the pool's lock.
func (s Store) RemoveStray(name string) error {
	done, err := s.clear(name)
	if err == nil && !done {
		err = fmt.Errorf("%s: not an empty folder of no pool", filepath.Join(s.Dir, name))
	}
	return err
}
