package volumes

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mkfs"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// Trim gives the blocks that the filesystem on a volume does not use back to
// the pool, and returns how many bytes the volume maps less by that. The volume
// may be mounted or not. A block that only a part of is not used stays.
func Trim(ctx context.Context, s *host.System, volume spec.Volume) (freed int64, err error) {
	err = s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		w, err := beginWork(wait, s, c, volume)
		if err != nil {
			return err
		}
		freed, err = w.trim(ctx, wait)
		return err
	})
	return freed, err
}

// trim is Trim under the volume's lock. ctx has no deadline, wait has.
func (w *work) trim(ctx, wait context.Context) (freed int64, err error) {
	s, v := w.s, w.v
	p, a, err := w.activate(wait, func(p *engine.Pool) error {
		_, err := p.CanWrite()
		return err
	})
	defer func() { w.end(ctx, a) }()
	if err != nil {
		return 0, err
	}
	found, err := fsprobe.Probe(a, v.Size)
	switch {
	case errors.Is(err, fsprobe.ErrNone):
		return 0, &fault.Error{Object: v.Spec().String(), Err: fault.Wrap(fault.ErrUsage, err)}
	case err != nil:
		return 0, &fault.Error{Object: v.Spec().String(), Err: err}
	}
	if err := canMount(s, w.rec, v, a, found); err != nil {
		return 0, err
	}
	before, err := mapped(p, v)
	if err != nil {
		return 0, err
	}
	s.Stepf("trimming %s on %s", found.Type, v.Spec())
	err = withMount(ctx, s, a.Path, found.Type, func(dir string) error {
		return mkfs.Trim(ctx, dir)
	})
	if err != nil {
		return 0, &fault.Error{Object: v.Spec().String(), Err: fmt.Errorf("trim: %w", err)}
	}
	after, err := mapped(p, v)
	return before - after, err
}

// mapped returns how many bytes an active volume maps. The pool commits its
// metadata for that.
func mapped(p *engine.Pool, v catalog.Volume) (int64, error) {
	st, err := thinStatus(p, v)
	return st.Mapped.Bytes(), err
}

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
