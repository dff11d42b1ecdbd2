package backing

import (
	"os"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/disks"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
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
	all, err := disks.List(dmname.UUIDPrefix)
	if err != nil {
		return nil, err
	}
	var found []carrier
	for _, d := range all {
		if d.Held {
			continue
		}
		if l, err := ReadLabel(d.Path); err == nil && l.UUID == uuid {
			found = append(found, carrier{d, l.Role})
		}
	}
	return found, nil
}

// located is where a part of a pool is.
type located struct {
	Path  string // to be written down in pool.json
	Moved bool   // it is not what pool.json says
}

// locate decides which of the disks found carries a part of the pool whose path
// in pool.json leads to the device at, which has the part's label if fits. With
// more than one disk it is an error that names them, unless the path is a lasting
// name of one: nobody else can tell a disk from its clone either.
func locate(pool, part string, b catalog.Backing, at dm.DevNo, fits bool, found []carrier) (located, error) {
	var all []carrier
	for _, d := range found {
		if d.role == LabelRole(part) {
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
		return located{Path: b.Path}, nil
	case others == 0: // whoever opens the path says what is wrong with it
		return located{Path: b.Path}, nil
	case !fits && others == 1:
		return located{Path: all[0].Path, Moved: true}, nil
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Path)
	}
	return located{}, &fault.Error{Object: "pool " + pool, Err: fault.Errorf(fault.ErrPoolState, "its %s is on more than one disk: %s; one is a copy of the other",
		LabelRole(part), strings.Join(names, ", ")),
		Remedy: fault.Sayf("disconnect the copy, or say which is the right one, by its link: %v", fault.NameDisk{Pool: pool, Role: LabelRole(part)})}
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

// FindBackings tells where the disks of a pool are.
func FindBackings(cfg catalog.Pool) (map[string]located, error) {
	type place struct {
		dev  dm.DevNo
		fits bool
	}
	at, search := map[string]place{}, false
	for _, part := range []string{dmname.Data, dmname.Meta} {
		b := BackingOf(cfg, part)
		dev, err := NodeDevice(b.Path)
		pl := place{dev, err == nil && CarriesPart(cfg, part, b.Path)}
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
	for _, part := range []string{dmname.Data, dmname.Meta} {
		l, err := locate(cfg.Name, part, BackingOf(cfg, part), at[part].dev, at[part].fits, found)
		if err != nil {
			return nil, err
		}
		if l.Moved {
			if dev, err := NodeDevice(l.Path); err == nil {
				l.Path = disks.Lasting(l.Path, dev, NodeDevice)
			}
		}
		paths[part] = l
	}
	return paths, nil
}

// BackingOf is what the catalog says about a part.
func BackingOf(cfg catalog.Pool, part string) catalog.Backing {
	if part == dmname.Meta {
		return cfg.Metadata
	}
	return cfg.Data
}
