package catalog

import (
	"errors"
	"io/fs"
	"os"

	"thinmount/lib/atomicfile"
	"thinmount/lib/spec"
)

// Tidy removes the temp files that killed commands have left, and finishes the
// files of a rename. It returns the names of all volumes that have a record,
// readable or not, also of those that intents hide. It reads two folders, and
// records only where a command has died. The caller holds the pool's lock
// exclusively.
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
	for _, op := range c.pool.done {
		if err := c.alignFiles(op.Volume); err != nil {
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

// TidyOf is Tidy for the named volumes, and for the pool's own files: it
// returns which of the volumes have a record. It reads no folder, so it takes
// as long in a pool of very many volumes as in a small one.
func (c *Catalog) TidyOf(names []string) (volumes map[string]bool, err error) {
	paths := []string{c.poolPath(), c.journalPath()}
	volumes = map[string]bool{}
	for _, name := range names {
		if spec.CheckVolumeName(name) != nil {
			continue
		}
		if err := c.alignFiles(name); err != nil {
			return nil, err
		}
		paths = append(paths, c.volumePath(name))
		_, err := os.Lstat(c.volumePath(name))
		record, gone := c.pool.spokenFor(name)
		volumes[name] = record != nil || err == nil && !gone
	}
	for _, path := range paths {
		temp := atomicfile.Temp(path)
		if _, err := os.Lstat(temp); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := c.RemoveTemp(Temp{Path: temp}); err != nil {
			return nil, err
		}
	}
	return volumes, nil
}

// Halves lists the folders that have a pool's name and no pool.json. A command
// may be making or removing a pool there. If so, it holds the pool's lock; if
// the lock is free, the caller takes it and calls ClearHalf.
func (s Store) Halves() ([]string, error) {
	return s.folders(func(name string, err error) bool {
		// lost+found belongs to fsck(8), if the store is a filesystem of its
		// own.
		return name != "lost+found" && errors.Is(err, fs.ErrNotExist)
	})
}

// ClearHalf removes what a killed Create leaves before there is a pool.json,
// and what a killed Destroy leaves after it has removed pool.json. It leaves a
// folder that holds anything else: that may be the rest of a pool whose
// pool.json was lost. It also leaves a folder that has become a pool. The
// caller holds the pool's lock exclusively.
func (s Store) ClearHalf(name string) error {
	_, err := s.clear(name)
	return err
}

// clear removes a folder without a pool.json, unless it holds anything. done
// says that it has removed the folder.
func (s Store) clear(name string) (done bool, err error) {
	if err := spec.CheckPoolName(name); err != nil {
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
