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

// The names of disks change: /dev/sdb may be another disk after the next boot.
// A pool knows its disks by their labels. If the path in pool.json does not
// lead to the pool's own disk, a command looks for the disk by its label and
// corrects pool.json.

// carrier is a disk that carries the label of a part of a pool.
type carrier struct {
	disks.Disk
	role string // "data" or "metadata"
}

// labelledDisks returns the disks that carry a label of the pool with the given
// uuid. It leaves out a disk that is part of another device. If the disk is one
// of several paths to a device, or one half of a mirror, that other device
// carries the label, too.
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

// located says where a part of a pool is.
type located struct {
	Path  string // the path that pool.json is to have
	Moved bool   // pool.json has another path
}

// locate decides which disk carries a part of the pool. b is what pool.json
// says about the part. at is the device that its path leads to, and fits tells
// whether that device carries the part's label. found are all disks with a
// label of the pool.
//
// If several disks carry the part's label, locate returns an error that names
// them, because no program can tell a disk from its clone. But if the path is a
// lasting name of one of them, locate takes that one.
func locate(pool, part string, b catalog.Backing, at dm.DevNo, fits bool,
	found []carrier) (located, error) {
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
	case others == 0: // the caller opens the path and meets what is wrong with it
		return located{Path: b.Path}, nil
	case !fits && others == 1:
		return located{Path: all[0].Path, Moved: true}, nil
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Path)
	}
	return located{}, &fault.Error{Object: "pool " + pool,
		Err: fault.Errorf(fault.ErrPoolState,
			"its %s is on more than one disk: %s; one is a copy of the other",
			LabelRole(part), strings.Join(names, ", ")),
		Remedy: fault.Sayf("disconnect the copy, or say which is the right one, by its link: %v",
			fault.NameDisk{Pool: pool, Role: LabelRole(part)})}
}

// kernelName tells whether a path is the kernel's own name of a device, such as
// /dev/sdb. Another disk may have that name after the next boot.
func kernelName(path string) bool {
	name, ok := strings.CutPrefix(path, "/dev/")
	if !ok || strings.Contains(name, "/") {
		return false
	}
	st, err := os.Lstat(path)
	return err != nil || st.Mode()&os.ModeSymlink == 0
}

// FindBackings finds the disks of a pool and returns them by part. It reads the
// labels of other disks unless both paths in pool.json are lasting names of
// disks with the right labels. If it finds a disk under another path, it
// returns a lasting name of that disk.
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

// BackingOf returns what the catalog says about a part: about the metadata for
// dmname.Meta, else about the data.
func BackingOf(cfg catalog.Pool, part string) catalog.Backing {
	if part == dmname.Meta {
		return cfg.Metadata
	}
	return cfg.Data
}
