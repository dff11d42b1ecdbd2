package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/refcount"
)

// Strays is what looks like ours and belongs to no pool.
type Strays struct {
	Pools   map[string]string // of the catalog: name to uuid, "" where pool.json cannot be read
	Busy    map[string]bool   // names of pools that somebody is at work on: making one, say
	Folders []catalog.Stray
	Entries []refcount.Entry
	Devices []dm.Info // by our uuids
	Nodes   []string
	Aliases []string // names of pools
}

// strange tells whether nobody has a pool of that name, nor is making one.
func (s *Strays) strange(pool string) bool {
	_, there := s.Pools[pool]
	return !there && !s.Busy[pool]
}

func (s *Strays) Findings() []Finding {
	var found []Finding
	for _, d := range s.Folders {
		if !s.strange(d.Name) {
			continue
		}
		f := Finding{Kind: KindFolder, Object: d.Path, Pool: d.Name, What: "is the folder of a pool that is not there", Repair: "remove it"}
		if d.Holds != "" {
			f.What += ", but holds " + d.Holds
			f.Repair, f.Remedy = "", fault.Hint("restore its pool.json from a backup, or remove the folder")
		}
		found = append(found, f)
	}
	found = append(found, s.strangeDevices()...)
	for _, name := range s.Nodes {
		if pool, _, ours := strings.Cut(strings.TrimPrefix(name, dmname.Prefix), "@"); ours && s.strange(pool) {
			found = append(found, Finding{Kind: KindNode, Object: "/dev/mapper/" + name, Pool: pool, Node: name,
				What: "leads to a device that is gone, of a pool that is not there", Repair: "remove it"})
		}
	}
	for _, pool := range s.Aliases {
		if s.strange(pool) {
			found = append(found, Finding{Kind: KindAlias, Object: pool, Pool: pool, What: "has a folder of links, but there is no such pool", Repair: "remove the folder"})
		}
	}
	return append(found, s.strangeFiles()...)
}

// strangeFiles leaves the lock of a pool to the last, under which the others are
// removed.
func (s *Strays) strangeFiles() []Finding {
	var found, locks []Finding
	seen := map[string]bool{}
	for _, e := range s.Entries {
		f := Finding{Object: e.Path, Pool: e.Pool, Volume: e.Volume, Entry: e, Repair: "remove it", What: "is of a pool that is not there"}
		switch e.Kind {
		case refcount.KindLock:
			f.Kind = KindLock
		case refcount.KindRecord:
			f.Kind = KindRecord
		case refcount.KindTemp:
			f.Kind = KindTemp
		}
		name := fmt.Sprint(f.Kind, e.Pool, "@", e.Volume)
		if f.Kind == "" || !s.strange(e.Pool) || f.Kind == KindLock && seen[name] {
			continue
		}
		seen[name] = true
		if f.Kind == KindLock && e.Volume == "" {
			locks = append(locks, f)
			continue
		}
		found = append(found, f)
	}
	return append(found, locks...)
}

// strangeDevices are of pools whose catalog is elsewhere, or gone: nobody knows
// whether they are needed.
func (s *Strays) strangeDevices() []Finding {
	var found []Finding
	for _, d := range s.Devices {
		uuid, _, _ := strings.Cut(strings.TrimPrefix(d.UUID, dmname.UUIDPrefix), "-")
		pool, _, _ := strings.Cut(strings.TrimPrefix(d.Name, dmname.Prefix), "@")
		known := slices.Contains(slices.Collect(maps.Values(s.Pools)), uuid)
		if known || !s.strange(pool) {
			continue // a pool of that name is there, and its own check sees to it
		}
		found = append(found, Finding{Kind: KindDevice, Object: d.Name, What: fmt.Sprintf("is of a pool that is not in the catalog (uuid %s)", uuid),
			Remedy: fault.Hint("if nobody needs it: dmsetup remove " + d.Name)})
	}
	return found
}
