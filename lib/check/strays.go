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

// Strays is what looks like thinmount's and belongs to no pool.
type Strays struct {
	Pools   map[string]string // uuids of existing pools, by name; "" if pool.json cannot be read
	Busy    map[string]bool   // pools whose lock a command holds: it may be making the pool
	Folders []catalog.Stray   // without a pool.json
	Entries []refcount.Entry  // files below /run/thin
	Devices []dm.Info         // with uuids of ours
	Nodes   []string          // names below /dev/mapper that lead to no device
	Aliases []string          // names of pools with a folder below /run/thin/dev
}

// strange tells whether no pool of that name exists, and no command is making
// one.
func (s *Strays) strange(pool string) bool {
	_, there := s.Pools[pool]
	return !there && !s.Busy[pool]
}

// Findings returns the strays in the order in which they are removed.
func (s *Strays) Findings() []Finding {
	var found []Finding
	for _, d := range s.Folders {
		if !s.strange(d.Name) {
			continue
		}
		f := Finding{Kind: KindFolder, Object: d.Path,
			What: "is the folder of a pool that is not there", Repair: RemoveFolder{d.Name}}
		if d.Holds != "" {
			f.What += ", but holds " + d.Holds
			f.Repair, f.Remedy = nil,
				fault.Hint("restore its pool.json from a backup, or remove the folder")
		}
		found = append(found, f)
	}
	found = append(found, s.strangeDevices()...)
	for _, name := range s.Nodes {
		if pool, _, ours := strings.Cut(strings.TrimPrefix(name, dmname.Prefix), "@"); ours &&
			s.strange(pool) {
			found = append(found,
				Finding{Kind: KindNode, Object: "/dev/mapper/" + name,
					What:   "leads to a device that is gone, of a pool that is not there",
					Repair: RemoveStrayNode{pool, name}})
		}
	}
	for _, pool := range s.Aliases {
		if s.strange(pool) {
			found = append(found,
				Finding{Kind: KindAlias, Object: pool,
					What:   "has a folder of links, but there is no such pool",
					Repair: RemoveLinks{pool}})
		}
	}
	return append(found, s.strangeFiles()...)
}

// strangeFiles returns the findings for files below /run/thin. The lock files
// of pools are the last, because the other files of a pool are removed under
// its lock.
func (s *Strays) strangeFiles() []Finding {
	var found, locks []Finding
	seen := map[string]bool{}
	for _, e := range s.Entries {
		f := Finding{Object: e.Path, Repair: RemoveStrayEntry{e},
			What: "belongs to a pool that is not there"}
		switch e.Kind {
		case refcount.KindLock:
			f.Kind = KindLock
		case refcount.KindRecord:
			f.Kind = KindRecord
		case refcount.KindTemp:
			f.Kind = KindTemp
		}
		name := fmt.Sprint(f.Kind, e.Volume)
		if f.Kind == "" || !s.strange(e.Volume.Pool) || f.Kind == KindLock && seen[name] {
			continue
		}
		seen[name] = true
		if f.Kind == KindLock && e.Volume.Name == "" {
			locks = append(locks, f)
			continue
		}
		found = append(found, f)
	}
	return append(found, locks...)
}

// strangeDevices returns the findings for devices of pools whose catalog is
// elsewhere or gone. No program can tell whether they are needed, so they have
// no repair.
func (s *Strays) strangeDevices() []Finding {
	var found []Finding
	for _, d := range s.Devices {
		uuid, _, _ := strings.Cut(strings.TrimPrefix(d.UUID, dmname.UUIDPrefix), "-")
		pool, _, _ := strings.Cut(strings.TrimPrefix(d.Name, dmname.Prefix), "@")
		known := slices.Contains(slices.Collect(maps.Values(s.Pools)), uuid)
		if known || !s.strange(pool) {
			continue // the check of that pool reports it
		}
		found = append(found,
			Finding{Kind: KindDevice, Object: d.Name,
				What:   fmt.Sprintf("belongs to a pool that is not in the catalog (uuid %s)", uuid),
				Remedy: fault.Hint("if nobody needs it: dmsetup remove " + d.Name)})
	}
	return found
}
