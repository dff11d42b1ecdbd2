package volumes

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
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
	return deleteOne(ctx, s, volume, o, false)
}

// errGivesBack says that a volume was not deleted because that takes time.
var errGivesBack = errors.New("has blocks of its own, which are to be discarded")

// deleteOne is Delete. With quick it does not delete a volume of which blocks
// are to be discarded, and returns errGivesBack.
func deleteOne(
	ctx context.Context, s *host.System, volume spec.Volume, o engine.DeleteOptions, quick bool,
) error {
	return s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		ref, v, err := registry.LockKnown(wait, s, volume)
		if err != nil {
			return err
		}
		d := deletion{s: s, c: c, ref: ref, v: v, o: o, quick: quick}
		err = d.run(ctx, wait)
		if d.gone {
			ref.CloseRemove() // as Unlock does, which would look for the volume
		} else {
			registry.Unlock(s, ref)
		}
		return err
	})
}

// deletion is a delete under the volume's lock.
type deletion struct {
	s     *host.System
	c     *dm.Control
	ref   *refcount.Ref
	v     catalog.Volume
	o     engine.DeleteOptions
	quick bool // not if blocks are to be discarded
	gone  bool // nothing is left of the volume
}

// run deletes the volume. If nothing is to be discarded, it locks the pool once
// and writes the intent once. Otherwise it does not hold the pool's lock while
// it discards. ctx has no deadline, wait has.
func (d *deletion) run(ctx, wait context.Context) error {
	if err := d.release(wait); err != nil {
		return err
	}
	return d.delete(ctx, wait)
}

// delete is run for a volume whose device is removed.
func (d *deletion) delete(ctx, wait context.Context) error {
	p, err := engine.OpenActive(wait, d.s, d.c, d.v.Pool, engine.Exclusive)
	if err != nil {
		return err
	}
	op, straight, err := d.begin(wait, p)
	if err != nil {
		p.Close()
		return err
	}
	// From here on no command shows the volume. So a failure of a later step is
	// a warning, and a signal ends nothing but the discarding.
	if err := d.ref.Clear(); err != nil {
		d.s.Warnf("%s: %v", d.v.Spec(), err)
	}
	d.end(ctx, p, op, !straight)
	return nil
}

// end carries out a delete whose intent is written, and closes the pool.
func (d *deletion) end(ctx context.Context, p *engine.Pool, op catalog.Intent, discard bool) {
	if discard {
		p.Close()
		if err := p.Discard(ctx, d.v); err != nil {
			d.s.Warnf("%s: discard: %v", d.v.Spec(), err)
		}
	}
	last, cancel := d.s.Waiting(context.WithoutCancel(ctx))
	defer cancel()
	var err error
	if discard {
		p, err = p.Reopen(last)
	}
	if err == nil {
		err = d.finish(last, p, op)
		p.Close()
	}
	if d.gone = err == nil; d.gone {
		return
	}
	said := fault.Sayf("%s is deleted, and a later command on the pool gives its space back: %v",
		d.v.Spec(), err)
	if remedy := host.RemedyOf(err); remedy != nil {
		said = fault.Sayf("%v (%v)", said, remedy)
	}
	d.s.Warn(said)
}

// release removes the volume's device. It does that before the pool is locked,
// because it may have to wait for a process that has the device open. If the
// pool cannot delete, it leaves the device: begin reports the pool's state.
func (d *deletion) release(ctx context.Context) error {
	if _, err := registry.ReconcileUnmounted(d.s, d.c, d.ref, d.v); err != nil {
		return err
	}
	_, err := d.c.Info(dmname.VolumeRef(d.v.PoolUUID, d.v.ID))
	if errors.Is(err, dm.ErrNotExist) {
		return nil
	}
	if st, err := health.PoolStatus(d.c, d.v.PoolUUID); err != nil || st.Writable() != nil {
		return nil
	}
	return engine.RemoveDevice(ctx, d.s, d.c, d.v)
}

// begin writes the intent of the delete. straight says that nothing is to be
// discarded, so that finish follows under the same lock of the pool.
func (d *deletion) begin(
	ctx context.Context, p *engine.Pool,
) (op catalog.Intent, straight bool, err error) {
	if _, err := p.CanWrite(); err != nil {
		return op, false, err
	}
	if err := p.RemoveVolumeDevice(ctx, d.v.Name, d.v.ID); err != nil {
		return op, false, err
	}
	straight = !p.WantsDiscard(d.o) || !p.GivesBack(d.v)
	if d.quick && !straight {
		return op, false, errGivesBack
	}
	d.s.Stepf("deleting %s", d.v.Spec())
	op, err = p.BeginDelete(d.v, straight)
	return op, straight, err
}

// finish deletes the thin id and the record, and ends the intent, which has a
// transaction id if the device is gone already.
func (d *deletion) finish(ctx context.Context, p *engine.Pool, op catalog.Intent) error {
	if op.TransactionID != 0 {
		return p.Explain(p.FinishDelete(ctx, op))
	}
	return p.Explain(p.DeleteVolume(ctx, op))
}
