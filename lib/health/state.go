package health

import (
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/thinpool"
)

// Trouble says what is wrong with a pool, and what a user can do: "" and nil
// mean that nothing is wrong. st is the status of the pool, r the room below
// its files.
func Trouble(cfg catalog.Pool, st thinpool.Status, r Room) (state string, remedy fault.Remedy) {
	name := cfg.Name
	if err := st.Writable(); err != nil {
		state = err.Error()
	}
	switch {
	case st.Failed():
		remedy = fault.Sayf("look for the disks' errors in dmesg; then %v",
			fault.RestartPool{Pool: name})
	case st.NeedsCheck:
		remedy = fault.RepairPool{Pool: name}
	case state != "":
		remedy = fault.GrowPool{Pool: name,
			Metadata: more(int64(st.MetaTotal) * thinpool.MetadataBlock)}
	case st.OutOfData():
		state = "out of data space: writes that need room fail"
		if st.Queues() {
			state = "out of data space: writes that need room wait for it"
		}
		remedy = RoomRemedy(name)
	default:
		if state = BelowMargin(cfg, st); state != "" {
			remedy = MarginRemedy(cfg, st)
		} else if state = r.Short(cfg, st); state != "" && r.Full(cfg, st) == "" {
			return state, r.Remedy()
		}
	}
	// A full filesystem comes first, whatever else is wrong.
	full := r.Full(cfg, st)
	switch {
	case full == "":
		return state, remedy
	case st.Mode == thinpool.ModeRW && !st.OutOfData():
		return full + ": writes that need room fail", r.Remedy()
	case remedy == nil:
		return strings.TrimPrefix(state+"; ", "; ") + full, r.Remedy()
	}
	return state + "; " + full, fault.Sayf("%v; then %v", r.Remedy(), remedy)
}

// more returns by how much a part of size bytes is to grow: by its own size,
// and at least by 64 MiB.
func more(size int64) fault.Growth { return fault.Growth{Size: max(size, 64<<20), More: true} }

// RoomRemedy returns how a user makes room in a pool that is full of data.
func RoomRemedy(pool string) fault.Remedy {
	return orDelete(fault.GrowPool{Pool: pool, Data: fault.Growth{More: true}})
}

// Suspended returns the names of the pool's devices that are suspended. While
// there are any, a request that reads metadata hangs, whether it goes to these
// devices or to the pool.
func Suspended(c *dm.Control, uuid string) (names []string) {
	for _, part := range []string{dmname.Pool, dmname.Data, dmname.Meta} {
		info, err := c.Info(dm.ByUUID(dmname.PartUUID(uuid, part)))
		if err == nil && info.Active() && info.Suspended() {
			names = append(names, info.Name)
		}
	}
	return names
}

// ResumePool resumes those of the pool's devices that are suspended. Of our own
// commands, only a grow leaves a device suspended, if it dies after the kernel
// has refused its table. While the pool is suspended, everybody who uses one of
// its volumes waits. The caller holds the pool's lock.
func ResumePool(s *host.System, c *dm.Control, pool, uuid string) error {
	for _, part := range []string{dmname.Meta, dmname.Data, dmname.Pool} {
		ref := dm.ByUUID(dmname.PartUUID(uuid, part))
		info, err := c.Info(ref)
		if err != nil || !info.Active() || !info.Suspended() {
			continue
		}
		s.Warnf("pool %s: %s was suspended: resuming it", pool, info.Name)
		if _, err := c.Resume(ref, host.HiddenCookie); err != nil {
			return &fault.Error{Object: "pool " + pool, Err: fault.Wrap(fault.ErrPoolState, err)}
		}
	}
	return nil
}

// PoolStatus asks an active pool for its status. A suspended pool would answer
// only after it is resumed, so for such a pool PoolStatus returns an error
// (fault.ErrPoolState) instead.
func PoolStatus(c *dm.Control, poolUUID string) (thinpool.Status, error) {
	if names := Suspended(c, poolUUID); len(names) > 0 {
		return thinpool.Status{}, fault.Errorf(fault.ErrPoolState, "%s", SuspendedText(names))
	}
	return thinpool.New(c, dmname.PartUUID(poolUUID, dmname.Pool)).Status()
}

// SuspendedText describes a pool whose devices with these names are suspended.
func SuspendedText(names []string) string {
	return "suspended by somebody: " + strings.Join(names, ", ")
}

// ResumeRemedy returns how a user resumes a suspended pool.
func ResumeRemedy(pool string) fault.Remedy {
	return fault.Sayf("%v resumes it", fault.ActivatePool{Pool: pool})
}

// LostTable tells whether the pool's device has the table of another target.
// dmsetup remove --force leaves it with such a table.
func LostTable(c *dm.Control, r dm.Ref) bool {
	targets, _, err := c.Table(r)
	return err == nil && (len(targets) != 1 || targets[0].Type != "thin-pool")
}

// LostTableText and LostTableRemedy are for a pool whose device has lost its
// table (LostTable). The kernel has suspended its active volumes from within
// (drivers/md/dm-thin.c, pool_suspend_active_thins). Only the pool that
// suspended them could resume them. But that pool has no table any more, and
// the kernel accepts no other pool in its place.
const (
	LostTableText = "somebody has taken its device's table away, and with it the volumes in use " +
		"stand still for ever"
	LostTableRemedy = fault.Hint("reboot: what was synced before is on the disk")
)

// BeyondHelp returns the error (fault.ErrPoolState) for a pool whose device has
// lost its table.
func BeyondHelp(pool string) error {
	return &fault.Error{Object: "pool " + pool,
		Err: fault.Errorf(fault.ErrPoolState, LostTableText), Remedy: LostTableRemedy}
}
