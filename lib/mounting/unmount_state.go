package mounting

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/reexec"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// resumeForUnmount sees to it that unmounting, which writes out what is dirty, does not
// hang: it resumes what is suspended, and finds out whether writes would wait for
// room, which the last ones may be the first to do.
func (u *unmounting) resumeForUnmount(ctx context.Context, v catalog.Volume) error {
	if health.LostTable(u.c, dm.ByUUID(dmname.PartUUID(v.PoolUUID, dmname.Pool))) {
		return health.BeyondHelp(v.Pool)
	}
	if err := registry.ResumeAndThaw(u.System, u.c, v); err != nil {
		return err
	}
	if err := u.rousePool(ctx, v); err != nil {
		return err
	}
	u.poolRef = dmname.PartUUID(v.PoolUUID, dmname.Pool)
	if st, err := thinpool.New(u.c, u.poolRef).Status(); err == nil && st.OnFull == "queue" {
		u.mayWait = v.Pool
	}
	return nil
}

func (u *unmounting) rousePool(ctx context.Context, v catalog.Volume) error {
	if len(health.Suspended(u.c, v.PoolUUID)) == 0 {
		return nil
	}
	lock, err := u.Refs().PoolLock(ctx, v.Pool, true)
	if err != nil {
		return fault.WaitError("pool "+v.Pool, err)
	}
	defer lock.Unlock()
	return health.ResumePool(u.System, u.c, v.Pool, v.PoolUUID)
}

// unmountApart unmounts where it may be waited for until the deadline only.
func (u *unmounting) unmountApart(ctx context.Context, target string, flags int) error {
	defer u.WaitingFor(lastWrites(u.mayWait))()
	err := reexec.Unmount(ctx, target, flags)
	if err == nil || ctx.Err() == nil {
		return err
	}
	kind := fault.ErrPoolState
	if errors.Is(err, context.Canceled) {
		kind = fault.ErrInterrupt
	}
	if st, e := thinpool.New(u.c, u.poolRef).Status(); e == nil && st.Queues() {
		return &fault.Error{Err: fault.Errorf(kind, "unmounted, but its last writes wait for room in pool %s, which is full", u.mayWait),
			Remedy: health.RoomRemedy(u.mayWait)}
	}
	return &fault.Error{Err: fault.Errorf(kind, "unmounted, but its last writes to pool %s go on", u.mayWait), Remedy: fault.ShowPool{Pool: u.mayWait}}
}
