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
	if b.Kind == catalog.KindDevice {
		hint = fmt.Sprintf("connect pool %s's own %s: a disk is known by its label, under any name; nothing was changed", cfg.Name, labelRole(part))
	}
	if e := notThisPart(cfg, part, got, readErr, carries); e != nil {
		e.Object, e.Hint = b.Path, hint
		spoilt := errors.Is(readErr, label.ErrDamaged) || errors.Is(readErr, label.ErrForeign)
		if b.Kind == catalog.KindDevice && !spoilt { // its name is another disk's by now, and no disk has its label
			e.Err = wrap(ErrNoBacking, e.Err)
		}
		return e
	}
	switch {
	case readErr != nil:
		return &Error{Object: b.Path, Err: readErr, Hint: hint}
	case size < label.Reserved+b.Size:
		return &Error{Object: b.Path, Err: reason(ErrPoolState, "has %s, the pool needs %s", exactSize(size), exactSize(label.Reserved+b.Size)), Hint: hint}
	}
	return nil
}

// notThisPart says what a disk or file carries in place of the label of this part
// of the pool.
func notThisPart(cfg catalog.Pool, part string, got label.Label, readErr error, carries string) *Error {
	role := labelRole(part)
	switch {
	case readErr != nil && carries != "":
		return &Error{Err: reason(ErrPoolState, "%w, but %s: it is not pool %s's %s", readErr, carries, cfg.Name, role)}
	case errors.Is(readErr, label.ErrNone), errors.Is(readErr, label.ErrDamaged), errors.Is(readErr, label.ErrForeign):
		return &Error{Err: reason(ErrPoolState, "%w: it is not pool %s's %s, or was overwritten", readErr, cfg.Name, role)}
	case readErr != nil:
		return nil
	case got.UUID == cfg.UUID && got.Role != role:
		return &Error{Err: reason(ErrPoolState, "is the %s of pool %s, not its %s", got.Role, cfg.Name, role)}
	case got.UUID != cfg.UUID:
		return &Error{Err: reason(ErrPoolState, "belongs to pool %q (%q, %s), not to this one (%s, %s)", got.Pool, got.UUID, got.Role, cfg.UUID, role)}
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
	if f.places != nil {
		found = append(found, Finding{Kind: KindLabel, Object: f.cfg.Name, What: f.places.Error(), Hint: Hint(f.places)})
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
