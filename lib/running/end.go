package running

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/mounting"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// lost returns an error if writes of the program were lost: syncfs(2) has said
// so, or the kernel has logged it for the device since it was mounted.
func (r *running) lost(v catalog.Volume, synced error, log []string, device string) error {
	logged := health.LostWrites(log, device)
	if synced == nil && len(logged) == 0 {
		return nil
	}
	r.c.Forget()
	st, err := health.PoolStatus(r.c, v.PoolUUID)
	if err != nil {
		st = thinpool.Status{Mode: thinpool.ModeRW}
	}
	why, remedy := health.WhyLost(v.Pool, st, synced)
	return &fault.Error{Object: v.Spec().String(),
		Err:    fault.Errorf(fault.ErrPoolState, "writes were lost: %s", why),
		Remedy: remedy}
}

// freed waits until the kernel has removed the device of an existing volume,
// unless somebody else uses the volume, or is about to, since the program has
// ended.
func (r *running) freed(ctx context.Context, v catalog.Volume) {
	ref, err := r.Refs().TryLock(v.Spec())
	if err != nil {
		return
	}
	defer registry.Unlock(r.System, ref)
	r.c.Forget()
	rec, err := registry.ReconcileUnmounted(r.System, r.c, ref, v)
	if err == nil && !rec.Pinned {
		r.waitRemoved(ctx, v)
	}
}

// waitRemoved waits until the kernel has removed a device that is for this
// command alone. The caller holds the volume's lock.
func (r *running) waitRemoved(ctx context.Context, v catalog.Volume) {
	r.c.Forget()
	info, err := r.c.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	if errors.Is(err, dm.ErrNotExist) {
		info, err = dm.Info{}, nil
	}
	if err == nil {
		err = mounting.RemoveAtClose(r.c, v, info)
	}
	if err != nil {
		r.Warnf("%s: unmounted, but the device stays: %v", v.Spec(), err)
		return
	}
	mounting.WaitRemoved(ctx, r.System, r.c, v, info, r.RunMount)
}
