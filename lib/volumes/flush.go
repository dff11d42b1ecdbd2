package volumes

import (
	"context"
	"errors"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// flushOrigin writes out what is dirty in the origin's filesystem and in those
// of layers above it, so that the freeze has little to write. It returns the
// directory where the origin is mounted, or "". If the mount is in another
// mount namespace, that is a path through /proc.
//
// Most failures are not errors, because the freeze writes what is left. But it
// is an error if writes were lost, or if they would wait for room in the pool.
// In the latter case the freeze would wait, too, and it would hold the lock
// that growing the pool needs.
func flushOrigin(
	ctx context.Context, s *host.System, c *dm.Control, ref *refcount.Ref, o catalog.Volume,
) (dir string, err error) {
	rec, err := registry.ReconcileOwn(s, c, ref, o)
	if err != nil {
		return "", nil
	}
	info, err := c.Info(dmname.VolumeRef(o.PoolUUID, o.ID))
	if err != nil || !info.Active() {
		return "", nil
	}
	dir = registry.PathToMount(c, rec, o)
	st, err := health.PoolStatus(c, o.PoolUUID)
	if err != nil || st.Mode != thinpool.ModeRW || st.Queues() {
		return dir, nil // the snapshot opens the pool next and reports its state
	}
	a := registry.LookAbove(s, c, o)
	defer func() { a.Close() }()
	if dir != "" {
		f, err := host.OpenFolder(dir)
		if err == nil {
			a.Dirs = append(a.Dirs, f)
		} else {
			s.Stepf("%v", err)
		}
	}
	for _, f := range a.Dirs {
		err := flush(ctx, s, c, f, o, st.OnFull == spec.OnFullQueue)
		if err != nil && (errors.Is(err, fault.ErrPoolState) || ctx.Err() != nil) {
			return dir, err
		}
		if err != nil {
			s.Stepf("syncfs %s: %v", f.Name(), err)
		}
	}
	return dir, nil
}

// mayBeActive says whether the volume seems to be active: it has a link to its
// device, or references. It asks the kernel nothing, and only saves work.
func mayBeActive(s *host.System, ref *refcount.Ref, v catalog.Volume) bool {
	_, err := os.Lstat(registry.AliasPath(s, v.Spec()))
	return err == nil || !ref.Record().Empty()
}

// flush calls syncfs(2) for the filesystem of f, in a second process. This
// process holds locks, and the call may sleep for as long as the disk takes, or
// for ever on a device that another program has suspended. flush leaves the
// second process behind when ctx ends, or when the writes would wait for room
// in the pool. syncfs(2) reports once that writes failed, now or earlier
// (health.SyncApart). So flush must not swallow that error.
func flush(
	ctx context.Context, s *host.System, c *dm.Control, f *os.File, o catalog.Volume, mayWait bool,
) error {
	defer s.WaitingFor("what is dirty in " + f.Name() + " to be written")()
	lost, err := health.SyncApart(ctx, f, func() error {
		if !mayWait {
			return nil
		}
		c.Forget()
		if st, err := health.PoolStatus(c, o.PoolUUID); err == nil && st.Queues() {
			return Full(o.Pool,
				"out of data space: %s has more to write than there is room for, and a snapshot "+
					"would wait with it",
				f.Name())
		}
		return nil
	})
	if ctx.Err() != nil {
		return fault.WaitError(o.Spec().String(), err)
	}
	c.Forget()
	if lost != nil {
		st, _ := health.PoolStatus(c, o.PoolUUID)
		why, remedy := health.WhyLost(o.Pool, st, lost)
		return &fault.Error{Object: f.Name(),
			Err: fault.Errorf(fault.ErrPoolState,
				"writes were lost: %s, and the snapshot would lack them", why),
			Remedy: fault.Sayf(
				"%v; then write again what is missing. A second attempt takes the origin as it is",
				remedy)}
	}
	return err
}
