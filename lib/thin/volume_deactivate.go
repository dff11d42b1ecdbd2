package thin

import (
	"context"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
)

// Deactivate takes back Activate. A volume that is mounted or open is ErrBusy.
func (s *System) Deactivate(ctx context.Context, poolName, volume string) error {
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		ref, v, err := s.lockKnown(ctx, poolName, volume)
		if err != nil {
			return err
		}
		defer ref.Close()
		rec, err := s.observeOwn(c, ref, v)
		if err != nil {
			return err
		}
		if err := s.refuseMounted(c, rec, v); err != nil {
			return err
		}
		if err := s.flushDevice(ctx, c, v); err != nil {
			return err
		}
		if err := s.removeDevice(ctx, c, v); err != nil {
			return err
		}
		return ref.Clear()
	})
}

// flushDevice writes out what was written to a volume's device by dd(1), say, and
// is an error where that was lost: the last close of a device tells nobody. An
// error that was told once is not told again.
func (s *System) flushDevice(ctx context.Context, c *dm.Control, v catalog.Volume) error {
	info, err := c.Info(volumeRef(v.PoolUUID, v.ID))
	if err != nil || !info.Active() || info.Suspended() {
		return nil // there is nothing to flush, or it cannot be
	}
	a, err := openActivation(c.NodePath(info.Name), info.Dev)
	if err != nil {
		return nil
	}
	defer a.Close()
	return s.flushed(ctx, c, v, a.File)
}

// flushed is flushDevice of an open device.
func (s *System) flushed(ctx context.Context, c *dm.Control, v catalog.Volume, device *os.File) error {
	object := v.Pool + "/" + v.Name
	defer s.waitingFor("what is dirty on " + object + " to be written")()
	lost, err := syncApart(ctx, device, func() error {
		if st, err := poolStatus(c, v.PoolUUID); err == nil && st.Queues() {
			return full(v.Pool, "out of data space: the last writes to %s wait for room", object)
		}
		return nil
	})
	if ctx.Err() != nil {
		return waitError(object, err)
	}
	if lost == nil {
		return err
	}
	st, _ := poolStatus(c, v.PoolUUID)
	why, hint := whyLost(v.Pool, st, lost)
	return &Error{Object: object, Err: reason(ErrPoolState, "writes were lost: %s", why), Hint: hint + "; then write it again"}
}
