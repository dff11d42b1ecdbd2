package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/privdir"
)

// Tidy removes the temp files that writers who were killed have left, and gives
// the names of all volumes that have a record, readable or not, also of those
// in operations. It reads two folders and no file. The caller holds the pool's
// lock exclusively.
func (c *Catalog) Tidy() (volumes map[string]bool, err error) {
	temps, err := c.Temps()
	if err != nil {
		return nil, err
	}
	for _, t := range temps {
		if err := c.RemoveTemp(t); err != nil {
			return nil, err
		}
	}
	names, err := c.recordNames()
	if err != nil {
		return nil, err
	}
	volumes = map[string]bool{}
	for _, name := range names {
		volumes[name] = true
	}
	return volumes, nil
}

// Halves lists the folders that have a pool's name and no pool.json: a pool may
// be in the making or half removed there, which the pool's lock tells; if it is
// free, ClearHalf removes the folder.
func (s Store) Halves() ([]string, error) {
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
		// lost+found is fsck(8)'s, where the folder is a filesystem of its own.
		if CheckPoolName(e.Name()) != nil || !e.IsDir() || e.Name() == "lost+found" {
			continue
		}
		_, err := os.Lstat(filepath.Join(s.Dir, e.Name(), poolFile))
		if errors.Is(err, fs.ErrNotExist) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// ClearHalf removes what Create leaves when it is killed before there is a
// pool.json, and Destroy when it is killed after. A folder that holds anything
// else is not touched: it may be the rest of a pool whose pool.json was lost.
// Neither is one that was made a pool meanwhile. The caller holds the pool's
// lock exclusively.
func (s Store) ClearHalf(name string) error {
	_, err := s.clear(name)
	return err
}

// clear removes the folder of a pool that is not there, unless it holds
// anything.
func (s Store) clear(name string) (done bool, err error) {
	if err := CheckPoolName(name); err != nil {
		return false, err
	}
	c := &Catalog{store: s, name: name}
	if _, err := os.Lstat(c.poolPath()); !errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if _, err := os.Lstat(c.Dir()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if holds, err := c.holds(); err != nil || holds != "" {
		return false, err
	}
	return true, errors.Join(s.disk.removeAll(c.Dir()), s.disk.syncDir(s.Dir))
}
