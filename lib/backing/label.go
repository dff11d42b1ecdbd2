package backing

import (
	"errors"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// LabelFlaw says what keeps a disk or file from being this pool's part: got and
// readErr are what label.Read gave, carries is what lies there otherwise ("" if
// nothing is known), and size is all its bytes.
func LabelFlaw(cfg catalog.Pool, part string, b catalog.Backing, got label.Label, readErr error, carries string, size int64) *fault.Error {
	remedy := fault.Sayf("give pool %s its own %s back (pool.json names the place); nothing was changed", cfg.Name, LabelRole(part))
	if b.Kind == catalog.KindDevice {
		remedy = fault.Sayf("connect pool %s's own %s: a disk is known by its label, under any name; nothing was changed", cfg.Name, LabelRole(part))
	}
	if e := notThisPart(cfg, part, got, readErr, carries); e != nil {
		e.Object, e.Remedy = b.Path, remedy
		spoilt := errors.Is(readErr, label.ErrDamaged) || errors.Is(readErr, label.ErrForeign)
		if b.Kind == catalog.KindDevice && !spoilt { // its name is another disk's by now, and no disk has its label
			e.Err = fault.Wrap(fault.ErrNoBacking, e.Err)
		}
		return e
	}
	switch {
	case readErr != nil:
		return &fault.Error{Object: b.Path, Err: readErr, Remedy: remedy}
	case size < label.Reserved+b.Size:
		return &fault.Error{Object: b.Path, Err: fault.Errorf(fault.ErrPoolState, "has %s, the pool needs %s", fault.ExactSize(size), fault.ExactSize(label.Reserved+b.Size)), Remedy: remedy}
	}
	return nil
}

// notThisPart says what a disk or file carries in place of the label of this part
// of the pool.
func notThisPart(cfg catalog.Pool, part string, got label.Label, readErr error, carries string) *fault.Error {
	role := LabelRole(part)
	switch {
	case readErr != nil && carries != "":
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState, "%w, but %s: it is not pool %s's %s", readErr, carries, cfg.Name, role)}
	case errors.Is(readErr, label.ErrNone), errors.Is(readErr, label.ErrDamaged), errors.Is(readErr, label.ErrForeign):
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState, "%w: it is not pool %s's %s, or was overwritten", readErr, cfg.Name, role)}
	case readErr != nil:
		return nil
	case got.UUID == cfg.UUID && got.Role != role:
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState, "is the %s of pool %s, not its %s", got.Role, cfg.Name, role)}
	case got.UUID != cfg.UUID:
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState, "belongs to pool %q (%q, %s), not to this one (%s, %s)", got.Pool, got.UUID, got.Role, cfg.UUID, role)}
	}
	return nil
}

// Carried names what a disk or file carries that has no label, as LVM's or
// somebody's filesystem: "" if nothing is known.
func Carried(file *os.File) string {
	size, err := loop.Size(file)
	if err != nil {
		st, err := file.Stat()
		if err != nil {
			return ""
		}
		size = st.Size()
	}
	found, err := fsprobe.Signatures(file, size)
	if err != nil || len(found) == 0 {
		return ""
	}
	return "carries " + found[0].Type
}
