package thin

import (
	"os"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/disks"
	"thinmount/lib/dm"
)

// The names of disks change: /dev/sdb is another disk after the next boot. A
// pool's disks are known by their labels. Where the path in pool.json does not
// lead to the pool's own disk, it is looked for, and pool.json is mended.

// carrier is a disk with the label of a part of a pool.
type carrier struct {
	disks.Disk
	role string // "data" or "metadata"
}

// labelledDisks finds all disks that carry the label of one of the pool's parts.
// Those that are part of another device are left out: that other device carries
// the label too, if it is a path to the disk or one half of a mirror.
func labelledDisks(uuid string) ([]carrier, error) {
	all, err := disks.List(uuidPrefix)
	if err != nil {
		return nil, err
	}
	var found []carrier
	for _, d := range all {
		if d.Held {
			continue
		}
		if l, err := readLabel(d.Path); err == nil && l.UUID == uuid {
			found = append(found, carrier{d, l.Role})
		}
	}
	return found, nil
}

// located is where a part of a pool is.
type located struct {
	path  string // to be written down in pool.json
	moved bool   // it is not what pool.json says
}

// locate decides which of the disks found carries a part of the pool whose path
// in pool.json leads to the device at, which has the part's label if fits. With
// more than one disk it is an error that names them, unless the path is a lasting
// name of one: nobody else can tell a disk from its clone either.
func locate(pool, part string, b catalog.Backing, at dm.DevNo, fits bool, found []carrier) (located, error) {
	var all []carrier
	for _, d := range found {
		if d.role == labelRole(part) {
			all = append(all, d)
		}
	}
	others := 0
	for _, d := range all {
		if d.Dev != at {
			others++
		}
	}
	switch {
	case fits && (others == 0 || !kernelName(b.Path)):
		return located{path: b.Path}, nil
	case others == 0: // whoever opens the path says what is wrong with it
		return located{path: b.Path}, nil
	case !fits && others == 1:
		return located{path: all[0].Path, moved: true}, nil
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Path)
	}
	return located{}, &Error{Object: "pool " + pool, Err: reason(ErrPoolState, "its %s is on more than one disk: %s; one is a copy of the other",
		labelRole(part), strings.Join(names, ", ")),
		Hint: "disconnect the copy, or say which is the right one, by its link: thin-snap pool set " + labelRole(part) + "=/dev/disk/by-id/LINK " + pool}
}

// kernelName tells whether a path is the kernel's own name of a device, which
// another disk may have after the next boot.
func kernelName(path string) bool {
	name, ok := strings.CutPrefix(path, "/dev/")
	if !ok || strings.Contains(name, "/") {
		return false
	}
	st, err := os.Lstat(path)
	return err != nil || st.Mode()&os.ModeSymlink == 0
}

// findDisks is the catalog with the paths that lead to the pool's own disks. What
// has changed of them is written down. A pool in files has none. Exclusive access.
func (p *pool) findDisks() (catalog.Pool, error) {
	cfg := p.cat.Pool()
	if cfg.Data.Kind != catalog.KindDevice {
		return cfg, nil
	}
	paths, err := findBackings(cfg)
	if err != nil {
		return cfg, err
	}
	moved := false
	for _, part := range []string{partData, partMeta} {
		if at := paths[part]; at.moved {
			moved = true
			p.sys.warn("pool %s: its %s is on %s now, not on %s", p.name(), labelRole(part), at.path, backingOf(cfg, part).Path)
		}
	}
	if !moved {
		return cfg, nil
	}
	rename := func(c *catalog.Pool) { c.Data.Path, c.Metadata.Path = paths[partData].path, paths[partMeta].path }
	if err := p.cat.SetPool(rename); err != nil { // where /var is read-only, say: it is found again the next time
		p.sys.warn("pool %s: where its disks are was not written down: %v", p.name(), err)
	}
	rename(&cfg)
	return cfg, nil
}

// findBackings tells where the disks of a pool are.
func findBackings(cfg catalog.Pool) (map[string]located, error) {
	type place struct {
		dev  dm.DevNo
		fits bool
	}
	at, search := map[string]place{}, false
	for _, part := range []string{partData, partMeta} {
		b := backingOf(cfg, part)
		dev, err := nodeDevice(b.Path)
		pl := place{dev, err == nil && carriesPart(cfg, part, b.Path)}
		search = search || !pl.fits || kernelName(b.Path)
		at[part] = pl
	}
	var found []carrier
	if search {
		var err error
		if found, err = labelledDisks(cfg.UUID); err != nil {
			return nil, err
		}
	}
	paths := map[string]located{}
	for _, part := range []string{partData, partMeta} {
		l, err := locate(cfg.Name, part, backingOf(cfg, part), at[part].dev, at[part].fits, found)
		if err != nil {
			return nil, err
		}
		if l.moved {
			if dev, err := nodeDevice(l.path); err == nil {
				l.path = disks.Lasting(l.path, dev, nodeDevice)
			}
		}
		paths[part] = l
	}
	return paths, nil
}

// backingOf is what the catalog says about a part.
func backingOf(cfg catalog.Pool, part string) catalog.Backing {
	if part == partMeta {
		return cfg.Metadata
	}
	return cfg.Data
}
