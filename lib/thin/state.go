package thin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// trouble says what is wrong with a pool, whose files have room r below them, and
// the way out. Both are "" where nothing is.
func trouble(cfg catalog.Pool, st thinpool.Status, r room) (state, hint string) {
	name := cfg.Name
	if err := st.Writable(); err != nil {
		state = err.Error()
	}
	switch {
	case st.Failed():
		hint = "look for the disks' errors in dmesg; then thin-snap pool deactivate --unmount " + name + " && thin-snap pool activate " + name
	case st.NeedsCheck:
		hint = repairCommand(cfg)
	case state != "":
		hint = "thin-snap pool grow --metadata-size " + more(int64(st.MetaTotal)*thinpool.MetadataBlock) + " " + name
	case st.OutOfData():
		state = "out of data space: writes that need room fail"
		if st.Queues() {
			state = "out of data space: writes that need room wait for it"
		}
		hint = roomHint(name)
	default:
		if state = belowMargin(cfg, st); state != "" {
			hint = marginHint(cfg, st)
		} else if state = r.short(cfg, st); state != "" && r.full(cfg, st) == "" {
			return state, r.hint()
		}
	}
	if full := r.full(cfg, st); full != "" { // whatever else is wrong, that comes first
		state, hint = strings.TrimPrefix(state+"; ", "; ")+full, strings.TrimSuffix(r.hint()+"; then "+hint, "; then ")
		if st.Mode == thinpool.ModeRW && !st.OutOfData() {
			state, hint = full+": writes that need room fail", r.hint()
		}
	}
	return state, hint
}

// more is a sensible value of an option for how much a part of size (bytes) is
// to grow by: as much as it has, at least 64 MiB.
func more(size int64) string { return "+" + sizeText(max(size, 64<<20)) }

// repairCommand repairs a pool whose metadata needs a check, or is damaged.
func repairCommand(cfg catalog.Pool) string { return "thin-snap pool check --repair " + cfg.Name }

// roomHint is how a pool that is full of data gets room.
func roomHint(pool string) string {
	return "thin-snap pool grow --size +SIZE " + pool + ", or delete volumes"
}

// inState is the error of a pool that is in no state for what is to be done.
func (p *pool) inState(st thinpool.Status) error {
	state, hint := trouble(p.cat.Pool(), st, roomBelow(p.cat.Pool()))
	return &Error{Object: "pool " + p.name(), Err: reason(ErrPoolState, "%s", state), Hint: hint}
}

// canWrite refuses what the pool's mode would refuse half way.
func (p *pool) canWrite() (thinpool.Status, error) {
	st, err := p.thin.Status()
	if err != nil {
		return st, p.fail(wrap(ErrPoolState, err))
	}
	if st.Writable() != nil {
		return st, p.inState(st)
	}
	return st, nil
}

// explain adds to the error of a change the state in which the pool refused it,
// or into which it fell by it.
func (p *pool) explain(err error) error {
	for _, kind := range []error{ErrPoolState, ErrUsage, ErrNotFound, ErrExists, ErrBusy, ErrInterrupt, context.Canceled} {
		if err == nil || errors.Is(err, kind) {
			return err
		}
	}
	if thinpool.Damaged(err) {
		return damagedBy(p.name(), err)
	}
	st, e := p.thin.Status()
	if e == nil && st.Writable() != nil {
		state, hint := trouble(p.cat.Pool(), st, roomBelow(p.cat.Pool()))
		return &Error{Object: "pool " + p.name(), Err: wrap(ErrPoolState, fmt.Errorf("%s (%w)", state, err)), Hint: hint}
	}
	if errors.Is(err, thinpool.ErrReadOnly) || errors.Is(err, thinpool.ErrNotCommitted) {
		return wrap(ErrPoolState, err)
	}
	return err
}

// suspended lists those of a pool's devices that hold I/O back. To ask them or
// the pool for anything that reads metadata would hang.
func suspended(c *dm.Control, uuid string) (names []string) {
	for _, part := range []string{partPool, partData, partMeta} {
		info, err := c.Info(dm.ByUUID(partUUID(uuid, part)))
		if err == nil && info.Active() && info.Suspended() {
			names = append(names, info.Name)
		}
	}
	return names
}

// wake resumes those of the pool's devices that are suspended. No command of
// ours leaves one so, but for a grow that dies when the kernel has refused its
// table; and a pool that stands still brings everybody to a halt. The caller
// has the pool's lock.
func (s *System) wake(c *dm.Control, pool, uuid string) error {
	for _, part := range []string{partMeta, partData, partPool} {
		ref := dm.ByUUID(partUUID(uuid, part))
		info, err := c.Info(ref)
		if err != nil || !info.Active() || !info.Suspended() {
			continue
		}
		s.warn("pool %s: %s was suspended: resuming it", pool, info.Name)
		if _, err := c.Resume(ref, hiddenCookie); err != nil {
			return &Error{Object: "pool " + pool, Err: wrap(ErrPoolState, err)}
		}
	}
	return nil
}

// poolStatus asks an active pool that would answer. One that is suspended
// answers when it is resumed.
func poolStatus(c *dm.Control, poolUUID string) (thinpool.Status, error) {
	if names := suspended(c, poolUUID); len(names) > 0 {
		return thinpool.Status{}, reason(ErrPoolState, "%s", suspendedText(names))
	}
	return thinpool.New(c, partUUID(poolUUID, partPool)).Status()
}

// suspendedText is the state of a pool some of whose devices are suspended.
func suspendedText(names []string) string {
	return "suspended by somebody: " + strings.Join(names, ", ")
}

func resumeHint(pool string) string { return "thin-snap pool activate " + pool + " resumes it" }

// foreign says that a pool's device has the table of something else, as
// dmsetup remove --force leaves it.
func foreign(c *dm.Control, r dm.Ref) bool {
	targets, _, err := c.Table(r)
	return err == nil && (len(targets) != 1 || targets[0].Type != "thin-pool")
}

// foreignText and foreignHint tell of such a pool. Its active volumes are
// suspended from within (drivers/md/dm-thin.c, pool_suspend_active_thins), and
// only the pool that did it could resume them: it has no table any more, and the
// kernel takes no other for it.
const (
	foreignText = "somebody has taken its device's table away, and with it the volumes in use stand still for ever"
	foreignHint = "reboot: what was synced before is on the disk"
)

func beyondHelp(pool string) error {
	return &Error{Object: "pool " + pool, Err: reason(ErrPoolState, foreignText), Hint: foreignHint}
}
