package thin

import (
	"context"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
)

// DeleteOptions are the choices of Delete.
type DeleteOptions struct {
	// Discard gives the volume's blocks back to what lies below the pool. Nil
	// does so for pools on files, where the space would be lost otherwise.
	Discard *bool
}

// Delete deletes a volume that is not in use. From its first write to disk the
// volume is gone for everybody; a Delete that dies is finished by the next
// command on the pool. Snapshots of the volume stay.
func (s *System) Delete(ctx context.Context, poolName, volume string, o DeleteOptions) error {
	wait, cancel := s.waiting(ctx)
	defer cancel()
	c, err := s.kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	ref, v, err := s.lockKnown(wait, poolName, volume)
	if err != nil {
		return err
	}
	defer s.letGo(ref, poolName, volume)
	if err := s.releaseToDelete(wait, c, ref, v); err != nil {
		return err
	}
	p, err := s.promiseDelete(wait, c, v)
	if err != nil {
		return err
	}
	// From here on the volume is gone, whatever happens: no error of what is left
	// to do is an error of the delete.
	if err := ref.Clear(); err != nil {
		s.warn("%s/%s: %v", poolName, volume, err)
	}
	if p.wantsDiscard(o) {
		if err := p.discard(ctx, v); err != nil {
			s.warn("%s/%s: discard: %v", poolName, volume, err)
		}
	}
	if err := s.finishDelete(ctx, c, v); err != nil {
		text := fmt.Sprintf("%s/%s is deleted, and a later command on the pool gives its space back: %v", poolName, volume, err)
		if hint := Hint(err); hint != "" {
			text += " (" + hint + ")"
		}
		s.Warn(text)
	}
	return nil
}

// releaseToDelete removes the volume's device, before the pool is locked: who
// has it open may have to be waited for. Where the pool cannot delete, the
// device stays for promiseDelete to say so.
func (s *System) releaseToDelete(ctx context.Context, c *dm.Control, ref *refcount.Ref, v catalog.Volume) error {
	rec, err := s.observeOwn(c, ref, v)
	if err != nil {
		return err
	}
	if err := s.refuseMounted(c, rec, v); err != nil {
		return err
	}
	if st, err := poolStatus(c, v.PoolUUID); err != nil || st.Writable() != nil {
		return nil
	}
	return s.removeDevice(ctx, c, v)
}

// promiseDelete writes the intent. The caller has the volume's lock, has seen
// that the volume is not mounted, and has let its device go.
func (s *System) promiseDelete(ctx context.Context, c *dm.Control, v catalog.Volume) (*pool, error) {
	p, err := s.openActive(ctx, c, v.Pool, exclusive)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if _, err := p.canWrite(); err != nil {
		return nil, err
	}
	if err := p.removeVolumeDevice(ctx, v.Name, v.ID); err != nil {
		return nil, err
	}
	s.step("deleting %s/%s", v.Pool, v.Name)
	return p, p.fail(p.cat.SetPool(func(c *catalog.Pool) {
		c.Begin(catalog.Operation{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID})
	}))
}

func (s *System) finishDelete(ctx context.Context, c *dm.Control, v catalog.Volume) error {
	wait, cancel := s.waiting(context.WithoutCancel(ctx))
	defer cancel()
	p, err := s.openActive(wait, c, v.Pool, exclusive)
	if err != nil {
		return err
	}
	defer p.close()
	return p.explain(p.deleteVolume(wait, catalog.Operation{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID}))
}
