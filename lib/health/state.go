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

// Trouble says what is wrong with a pool, whose files have room r below them, and
// the way out: "" and nil where nothing is.
func Trouble(cfg catalog.Pool, st thinpool.Status, r Room) (state string, remedy fault.Remedy) {
	name := cfg.Name
	if err := st.Writable(); err != nil {
		state = err.Error()
	}
	switch {
	case st.Failed():
		remedy = fault.Sayf("look for the disks' errors in dmesg; then %v", fault.RestartPool{Pool: name})
	case st.NeedsCheck:
		remedy = fault.RepairPool{Pool: name}
	case state != "":
		remedy = fault.GrowPool{Pool: name, Metadata: more(int64(st.MetaTotal) * thinpool.MetadataBlock)}
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
	full := r.Full(cfg, st) // whatever else is wrong, that comes first
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

// more is how much a part of size (bytes) sensibly grows by: as much as it has, at
// least 64 MiB.
func more(size int64) fault.Growth { return fault.Growth{Size: max(size, 64<<20), More: true} }

// RoomRemedy is how a pool that is full of data gets room.
func RoomRemedy(pool string) fault.Remedy {
	return orDelete(fault.GrowPool{Pool: pool, Data: fault.Growth{More: true}})
}

// Suspended lists those of a pool's devices that hold I/O back. To ask them or
// the pool for anything that reads metadata would hang.
func Suspended(c *dm.Control, uuid string) (names []string) {
	for _, part := range []string{dmname.Pool, dmname.Data, dmname.Meta} {
		info, err := c.Info(dm.ByUUID(dmname.PartUUID(uuid, part)))
		if err == nil && info.Active() && info.Suspended() {
			names = append(names, info.Name)
		}
	}
	return names
}

// ResumePool resumes those of the pool's devices that are suspended. No command of
// ours leaves one so, but for a grow that dies when the kernel has refused its
// table; and a pool that stands still brings everybody to a halt. The caller
// has the pool's lock.
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

// PoolStatus asks an active pool that would answer. One that is suspended
// answers when it is resumed.
func PoolStatus(c *dm.Control, poolUUID string) (thinpool.Status, error) {
	if names := Suspended(c, poolUUID); len(names) > 0 {
		return thinpool.Status{}, fault.Errorf(fault.ErrPoolState, "%s", SuspendedText(names))
	}
	return thinpool.New(c, dmname.PartUUID(poolUUID, dmname.Pool)).Status()
}

// SuspendedText is the state of a pool some of whose devices are suspended.
func SuspendedText(names []string) string {
	return "suspended by somebody: " + strings.Join(names, ", ")
}

// ResumeRemedy is how such a pool goes on.
func ResumeRemedy(pool string) fault.Remedy {
	return fault.Sayf("%v resumes it", fault.ActivatePool{Pool: pool})
}

// LostTable says that a pool's device has the table of something else, as
// dmsetup remove --force leaves it.
func LostTable(c *dm.Control, r dm.Ref) bool {
	targets, _, err := c.Table(r)
	return err == nil && (len(targets) != 1 || targets[0].Type != "thin-pool")
}

// ForeignText and ForeignRemedy tell of such a pool. Its active volumes are
// suspended from within (drivers/md/dm-thin.c, pool_suspend_active_thins), and
// only the pool that did it could resume them: it has no table any more, and the
// kernel takes no other for it.
const (
	ForeignText   = "somebody has taken its device's table away, and with it the volumes in use stand still for ever"
	ForeignRemedy = fault.Hint("reboot: what was synced before is on the disk")
)

func BeyondHelp(pool string) error {
	return &fault.Error{Object: "pool " + pool, Err: fault.Errorf(fault.ErrPoolState, ForeignText), Remedy: ForeignRemedy}
}
