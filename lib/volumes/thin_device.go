package volumes

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// thinStatus asks an active volume's device for its state.
func thinStatus(p *engine.Pool, v catalog.Volume) (st thinpool.ThinStatus, err error) {
	targets, _, err := p.DM.Status(dmname.VolumeRef(p.UUID(), v.ID), 0)
	if err == nil && len(targets) != 1 {
		err = errors.New("not a thin device")
	}
	if err == nil {
		st, err = thinpool.ParseThinStatus(targets[0].Params)
	}
	if err == nil && st.Fail {
		err = errors.New("the pool does not tell what is mapped")
	}
	if err != nil {
		err = &fault.Error{Object: v.Spec().String(), Err: err}
	}
	return st, err
}

// removeUnused closes the device of a volume, and removes it if nobody else
// uses it.
func removeUnused(
	ctx context.Context, s *host.System, c *dm.Control, rec refcount.Record, v catalog.Volume,
	a *engine.Activation,
) {
	a.Close()
	if rec.References > 0 || rec.Elsewhere || rec.Pinned {
		return
	}
	wait, cancel := s.Waiting(context.WithoutCancel(ctx))
	defer cancel()
	if err := engine.RemoveDevice(wait, s, c, v); err != nil {
		s.Warnf("%v", err)
	}
}
