package volumes

import (
	"context"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// Deactivate removes the device of a volume that Activate has activated. First
// it writes out what is dirty. If the volume is mounted or open, the error is
// ErrBusy.
func Deactivate(ctx context.Context, s *host.System, volume spec.Volume) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		ref, v, err := registry.LockKnown(ctx, s, volume)
		if err != nil {
			return err
		}
		defer ref.Close()
		if _, err := registry.ReconcileUnmounted(s, c, ref, v); err != nil {
			return err
		}
		if err := flushDevice(ctx, s, c, v); err != nil {
			return err
		}
		if err := engine.RemoveDevice(ctx, s, c, v); err != nil {
			return err
		}
		return ref.Clear()
	})
}

// flushDevice writes out what a program, dd(1) for example, has written to a
// volume's device. It returns an error if writes were lost, because the last
// close of a device reports none. The kernel reports each such error once.
func flushDevice(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume) error {
	info, err := c.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	if err != nil || !info.Active() || info.Suspended() {
		return nil // nothing is to be flushed, or a flush would hang
	}
	a, err := engine.OpenActivation(c.NodePath(info.Name), info.Dev)
	if err != nil {
		return nil
	}
	defer a.Close()
	return flushed(ctx, s, c, v, a.File, true)
}

// flushed is flushDevice for a device that is open already. mayWait says that a
// write may wait for room in the pool. Then it is an error, too, if the last
// writes do.
func flushed(
	ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume, device *os.File,
	mayWait bool,
) error {
	object := v.Spec().String()
	defer s.WaitingFor("what is dirty on " + object + " to be written")()
	lost, err := health.SyncApart(ctx, device, func() error {
		if !mayWait {
			return nil
		}
		if st, err := health.PoolStatus(c, v.PoolUUID); err == nil && st.Queues() {
			return Full(v.Pool, "out of data space: the last writes to %s wait for room", object)
		}
		return nil
	})
	if ctx.Err() != nil {
		return fault.WaitError(object, err)
	}
	if lost == nil {
		return err
	}
	st, _ := health.PoolStatus(c, v.PoolUUID)
	why, remedy := health.WhyLost(v.Pool, st, lost)
	return &fault.Error{Object: object,
		Err:    fault.Errorf(fault.ErrPoolState, "writes were lost: %s", why),
		Remedy: fault.Sayf("%v; then write it again", remedy)}
}
