package check

import (
	"fmt"
	"strings"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
)

// compareLabels reports disks and files that are not the pool's, and devices
// that are active in the pool's place.
func (f *Facts) compareLabels() []Finding {
	var found []Finding
	if f.Copied != nil {
		found = append(found,
			Finding{Kind: KindBacking, Object: f.Config.Name, What: f.Copied.Err.Err.Error(),
				Remedy: f.Copied.Err.Remedy})
	}
	if f.Places != nil {
		found = append(found,
			Finding{Kind: KindLabel, Object: f.Config.Name, What: f.Places.Error(),
				Remedy: host.RemedyOf(f.Places)})
	}
	for _, b := range f.Backings {
		if e := backing.LabelFlaw(f.Config, b.Part, b.Backing, b.Label, b.Err, b.Carries,
			b.Size); e != nil {
			found = append(found,
				Finding{Kind: KindLabel, Object: b.Path, What: e.Err.Error(), Remedy: e.Remedy})
		}
	}
	return found
}

// compareLoops reports loop devices over the pool's files that the pool does
// not use: each loop device has a cache of its own. It leaves out those that
// detach by themselves, because they will soon be gone.
func (f *Facts) compareLoops() []Finding {
	var found []Finding
	for _, b := range f.Backings {
		for _, l := range b.Loops {
			if b.Kind == catalog.KindFile && l.DevNo.String() != b.Lower && !l.Autoclear {
				found = append(found,
					Finding{Kind: KindLoop, Object: l.Path,
						What:   "is attached to " + b.Path + ", but not by pool " + f.Config.Name,
						Remedy: fault.Hint("losetup --detach " + l.Path)})
			}
		}
	}
	return found
}

// compareForeign reports devices of others that have our names. They may be
// LVM's, or those of a pool of the same name whose catalog is gone. No repair
// touches them.
func (f *Facts) compareForeign() []Finding {
	var found []Finding
	for _, d := range f.Foreign {
		what := fmt.Sprintf("is not pool %s's (uuid %q), but has a name that is",
			f.Config.Name, d.UUID)
		if strings.HasPrefix(d.UUID, dmname.UUIDPrefix) {
			what = fmt.Sprintf("belongs to another pool of this name (uuid %q)", d.UUID)
		}
		found = append(found,
			Finding{Kind: KindForeign, Object: d.Name, What: what,
				Remedy: fault.Hint("it is left alone; look at it: dmsetup info " + d.Name)})
	}
	return found
}
