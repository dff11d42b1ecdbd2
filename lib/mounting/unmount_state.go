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
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// resumeForUnmount makes sure that the unmount, which writes out what is dirty,
// does not hang. It resumes the suspended devices of the pool: the volume's own
// was resumed when its record was compared with the kernel. It sets u.mayWait
// if writes may wait for room: the last writes may be the first that find the
// pool full. The caller holds the volume's lock.
func (u *unmounting) resumeForUnmount(ctx context.Context, v catalog.Volume) error {
	if health.LostTable(u.known, dm.ByUUID(dmname.PartUUID(v.PoolUUID, dmname.Pool))) {
		return health.BeyondHelp(v.Pool)
	}
	if err := u.rousePool(ctx, v); err != nil {
		return err
	}
	u.poolRef = dmname.PartUUID(v.PoolUUID, dmname.Pool)
	st, err := thinpool.New(u.known, u.poolRef).Status()
	if err == nil && st.OnFull == spec.OnFullQueue {
		u.mayWait = v.Pool
	}
	return nil
}

// refuseDead returns what refuses to resume or thaw a volume whose pool is
// beyond help: that would write to it, and wait for ever.
func (u *unmounting) refuseDead(v catalog.Volume) registry.May {
	return func(info dm.Info, _ refcount.Record) error {
		if (registry.IsSuspended(info) || registry.IsMarked(u.System, v)) &&
			health.LostTable(u.known, dm.ByUUID(dmname.PartUUID(v.PoolUUID, dmname.Pool))) {
			return health.BeyondHelp(v.Pool)
		}
		return nil
	}
}

// rousePool resumes the pool's suspended devices under the pool's lock. It
// takes no lock if none is suspended.
func (u *unmounting) rousePool(ctx context.Context, v catalog.Volume) error {
	if len(health.Suspended(u.known, v.PoolUUID)) == 0 {
		return nil
	}
	lock, err := u.Refs().PoolLock(ctx, v.Pool, true)
	if err != nil {
		return fault.WaitError("pool "+v.Pool, err)
	}
	defer lock.Unlock()
	u.known.Forget()
	return health.ResumePool(u.System, u.known, v.Pool, v.PoolUUID)
}

// unmountApart calls umount2(2) in a second process, and waits for it until ctx
// ends. The second process goes on then.
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
		return &fault.Error{
			Err: fault.Errorf(kind,
				"unmounted, but its last writes wait for room in pool %s, which is full",
				u.mayWait),
			Remedy: health.RoomRemedy(u.mayWait)}
	}
	return &fault.Error{
		Err:    fault.Errorf(kind, "unmounted, but its last writes to pool %s go on", u.mayWait),
		Remedy: fault.ShowPool{Pool: u.mayWait}}
}
