package volumes

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// Delete deletes a volume that is not in use. From its first write to disk on
// no command shows the volume. If Delete dies after that, the next command on
// the pool finishes the work. Snapshots of the volume stay.
func Delete(
	ctx context.Context, s *host.System, volume spec.Volume, o engine.DeleteOptions,
) error {
	return s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		ref, v, err := registry.LockKnown(wait, s, volume)
		if err != nil {
			return err
		}
		defer registry.Unlock(s, ref)
		if err := releaseToDelete(wait, s, c, ref, v); err != nil {
			return err
		}
		p, err := promiseDelete(wait, s, c, v)
		if err != nil {
			return err
		}
		// From here on no command shows the volume. So a failure of a later
		// step is a warning.
		if err := ref.Clear(); err != nil {
			s.Warnf("%s: %v", volume, err)
		}
		if p.WantsDiscard(o) {
			if err := p.Discard(ctx, v); err != nil {
				s.Warnf("%s: discard: %v", volume, err)
			}
		}
		if err := finishDelete(ctx, s, c, v); err != nil {
			said := fault.Sayf(
				"%s is deleted, and a later command on the pool gives its space back: %v",
				volume, err)
			if remedy := host.RemedyOf(err); remedy != nil {
				said = fault.Sayf("%v (%v)", said, remedy)
			}
			s.Warn(said)
		}
		return nil
	})
}

// releaseToDelete removes the volume's device. It does that before the pool is
// locked, because it may have to wait for a process that has the device open.
// If the pool cannot delete, it leaves the device: promiseDelete reports the
// pool's state.
func releaseToDelete(
	ctx context.Context, s *host.System, c *dm.Control, ref *refcount.Ref, v catalog.Volume,
) error {
	if _, err := registry.ReconcileUnmounted(s, c, ref, v); err != nil {
		return err
	}
	if st, err := health.PoolStatus(c, v.PoolUUID); err != nil || st.Writable() != nil {
		return nil
	}
	return engine.RemoveDevice(ctx, s, c, v)
}

// promiseDelete writes the intent of the delete. The caller holds the volume's
// lock, has checked that the volume is not mounted, and has removed its device.
func promiseDelete(
	ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume,
) (*engine.Pool, error) {
	p, err := engine.OpenActive(ctx, s, c, v.Pool, engine.Exclusive)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if _, err := p.CanWrite(); err != nil {
		return nil, err
	}
	if err := p.RemoveVolumeDevice(ctx, v.Name, v.ID); err != nil {
		return nil, err
	}
	s.Stepf("deleting %s", v.Spec())
	return p, p.Wrap(p.Catalog.SetPool(func(c *catalog.Pool) {
		c.BeginIntent(catalog.Intent{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID})
	}))
}

// finishDelete deletes the thin id and the record, and ends the intent. It does
// so even if ctx was cancelled.
func finishDelete(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume) error {
	wait, cancel := s.Waiting(context.WithoutCancel(ctx))
	defer cancel()
	p, err := engine.OpenActive(wait, s, c, v.Pool, engine.Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Explain(p.DeleteVolume(wait,
		catalog.Intent{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID}))
}
