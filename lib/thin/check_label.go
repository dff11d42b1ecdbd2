package thin

import (
	"errors"
	"fmt"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/label"
)

// labelFlaw says what keeps a disk or file from being this pool's part: got and
// readErr are what label.Read gave, carries is what lies there otherwise ("" if
// nothing is known), and size is all its bytes.
func labelFlaw(cfg catalog.Pool, part string, b catalog.Backing, got label.Label, readErr error, carries string, size int64) *Error {
	hint := fmt.Sprintf("give pool %s its own %s back (pool.json names the place); nothing was changed", cfg.Name, labelRole(part))
	switch {
	case readErr != nil && carries != "":
		return &Error{Object: b.Path, Err: reason(ErrPoolState, "%w, but %s: it is not pool %s's %s", readErr, carries, cfg.Name, labelRole(part)), Hint: hint}
	case errors.Is(readErr, label.ErrNone), errors.Is(readErr, label.ErrDamaged), errors.Is(readErr, label.ErrForeign):
		return &Error{Object: b.Path, Err: reason(ErrPoolState, "%w: it is not pool %s's %s, or was overwritten", readErr, cfg.Name, labelRole(part)), Hint: hint}
	case readErr != nil:
		return &Error{Object: b.Path, Err: readErr, Hint: hint}
	case got.UUID != cfg.UUID || got.Role != labelRole(part):
		return &Error{Object: b.Path, Err: reason(ErrPoolState, "belongs to pool %q (%q, %s), not to this one (%s, %s)",
			got.Pool, got.UUID, got.Role, cfg.UUID, labelRole(part)), Hint: hint}
	case size < label.Reserved+b.Size:
		return &Error{Object: b.Path, Err: reason(ErrPoolState, "has %s, the pool needs %s", exactSize(size), exactSize(label.Reserved+b.Size)), Hint: hint}
	}
	return nil
}

// compareLabels looks at the disks or files, and at what is active in the pool's
// place.
func (f *facts) compareLabels() []Finding {
	var found []Finding
	if f.copied != nil {
		found = append(found, Finding{Kind: KindBacking, Object: f.cfg.Name, What: f.copied.err.Err.Error(), Hint: f.copied.err.Hint})
	}
	for _, b := range f.backings {
		if e := labelFlaw(f.cfg, b.part, b.Backing, b.label, b.err, b.carries, b.size); e != nil {
			found = append(found, Finding{Kind: KindLabel, Object: b.Path, What: e.Err.Error(), Hint: e.Hint})
		}
	}
	return found
}

// compareLoops finds loop devices over the pool's files that are not the
// pool's: with one more, each would have a cache of its own. Those that detach
// by themselves are on their way.
func (f *facts) compareLoops() []Finding {
	var found []Finding
	for _, b := range f.backings {
		for _, l := range b.loops {
			if b.Kind == catalog.KindFile && l.DevNo.String() != b.lower && !l.Autoclear {
				found = append(found, Finding{Kind: KindLoop, Object: l.Path, What: "is attached to " + b.Path + ", but not by pool " + f.cfg.Name,
					Hint: "losetup --detach " + l.Path})
			}
		}
	}
	return found
}

// compareForeign finds devices of others with our names: LVM's, say, or those
// of a pool of the same name whose catalog is gone. They are not touched.
func (f *facts) compareForeign() []Finding {
	var found []Finding
	for _, d := range f.foreign {
		what := fmt.Sprintf("is not pool %s's (uuid %q), but has a name that is", f.cfg.Name, d.UUID)
		if strings.HasPrefix(d.UUID, uuidPrefix) {
			what = fmt.Sprintf("belongs to another pool of this name (uuid %q)", d.UUID)
		}
		found = append(found, Finding{Kind: KindForeign, Object: d.Name, What: what, Hint: "it is left alone; look at it: dmsetup info " + d.Name})
	}
	return found
}
