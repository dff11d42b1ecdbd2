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

// LabelFlaw returns the error of a disk or file that cannot be this part of the
// pool, or nil if it can be. got and readErr are what label.Read returned.
// carries is what Carried returned: what is there in place of a label, or "".
// size is the whole size of the disk or file in bytes.
func LabelFlaw(cfg catalog.Pool, part string, b catalog.Backing, got label.Label, readErr error,
	carries string, size int64) *fault.Error {
	remedy := fault.Sayf(
		"give pool %s its own %s back (pool.json names the place); nothing was changed", cfg.Name,
		LabelRole(part))
	if b.Kind == catalog.KindDevice {
		remedy = fault.Sayf(
			"connect pool %s's own %s: a disk is known by its label, under any name; nothing was "+
				"changed",
			cfg.Name, LabelRole(part))
	}
	if e := notThisPart(cfg, part, got, readErr, carries); e != nil {
		e.Object, e.Remedy = b.Path, remedy
		spoilt := errors.Is(readErr, label.ErrDamaged) || errors.Is(readErr, label.ErrOverwritten)
		// Another disk has the name now, and no disk has the label of this
		// part: the pool's own disk is missing.
		if b.Kind == catalog.KindDevice && !spoilt {
			e.Err = fault.Wrap(fault.ErrNoBacking, e.Err)
		}
		return e
	}
	switch {
	case readErr != nil:
		return &fault.Error{Object: b.Path, Err: readErr, Remedy: remedy}
	case size < label.Reserved+b.Size:
		return &fault.Error{Object: b.Path,
			Err: fault.Errorf(fault.ErrPoolState, "has %s, the pool needs %s",
				fault.ExactSize(size), fault.ExactSize(label.Reserved+b.Size)),
			Remedy: remedy}
	}
	return nil
}

// notThisPart returns an error that says what a disk or file carries in place
// of the label of this part of the pool. It returns nil if the label is the
// right one, and if reading it failed for a reason that says nothing about the
// label.
func notThisPart(cfg catalog.Pool, part string, got label.Label, readErr error,
	carries string) *fault.Error {
	role := LabelRole(part)
	switch {
	case readErr != nil && carries != "":
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState,
			"%w, but %s: it is not pool %s's %s", readErr, carries, cfg.Name, role)}
	case errors.Is(readErr, label.ErrNone), errors.Is(readErr, label.ErrDamaged),
		errors.Is(readErr, label.ErrOverwritten):
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState,
			"%w: it is not pool %s's %s, or was overwritten", readErr, cfg.Name, role)}
	case readErr != nil:
		return nil
	case got.UUID == cfg.UUID && got.Role != role:
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState,
			"is the %s of pool %s, not its %s", got.Role, cfg.Name, role)}
	case got.UUID != cfg.UUID:
		return &fault.Error{Err: fault.Errorf(fault.ErrPoolState,
			"belongs to pool %q (%q, %s), not to this one (%s, %s)", got.Pool, got.UUID, got.Role,
			cfg.UUID, role)}
	}
	return nil
}

// Carried returns "carries TYPE" for a disk or file that has a known signature,
// such as that of LVM or of a filesystem. It returns "" for any other. The
// caller has found no label of ours there.
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
