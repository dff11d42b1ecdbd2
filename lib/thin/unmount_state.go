package thin

import (
	"context"
	"errors"

	"thinmount/lib/apart"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// rouse sees to it that unmounting, which writes out what is dirty, does not
// hang: it resumes what is suspended, puts a pool's table back, and finds out
// whether writes wait for room. What the catalog says is not needed, unless the
// table is gone.
func (u *unmounting) rouse(ctx context.Context, v catalog.Volume) error {
	ref := volumeRef(v.PoolUUID, v.ID)
	if info, err := u.c.Info(ref); err == nil && info.Active() && info.Suspended() {
		u.warn("%s was suspended: resuming it", info.Name)
		if _, err := u.c.Resume(ref); err != nil {
			return &Error{Object: v.Pool + "/" + v.Name, Err: err}
		}
	}
	if err := u.rousePool(ctx, v); err != nil {
		return err
	}
	st, err := thinpool.New(u.c, partUUID(v.PoolUUID, partPool)).Status()
	if err == nil && st.Queues() {
		u.mayWait = v.Pool
	}
	return nil
}

func (u *unmounting) rousePool(ctx context.Context, v catalog.Volume) error {
	if foreign(u.c, dm.ByUUID(partUUID(v.PoolUUID, partPool))) {
		return u.tend(ctx, u.c, v.Pool, false)
	}
	if len(suspended(u.c, v.PoolUUID)) == 0 {
		return nil
	}
	lock, err := u.refs().PoolLock(ctx, v.Pool, true)
	if err != nil {
		return waitError("pool "+v.Pool, err)
	}
	defer lock.Unlock()
	return u.wake(u.c, v.Pool, v.PoolUUID)
}

// apart unmounts where it may be waited for until the deadline only.
func (u *unmounting) apart(ctx context.Context, target string, flags int) error {
	defer u.waitingFor("room in pool " + u.mayWait + ", which is full: thin-snap pool grow " + u.mayWait)()
	err := apart.Unmount(ctx, target, flags)
	if err == nil || ctx.Err() == nil {
		return err
	}
	kind := ErrPoolState
	if errors.Is(err, context.Canceled) {
		kind = ErrInterrupt
	}
	return &Error{Err: reason(kind, "unmounted, but its last writes wait for room in pool %s, which is full", u.mayWait),
		Hint: "thin-snap pool grow --size +SIZE " + u.mayWait + ", or delete volumes"}
}
