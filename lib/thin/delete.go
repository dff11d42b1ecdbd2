package thin

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/loop"
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
	p, err := s.promiseDelete(wait, c, ref, v)
	if err != nil {
		return err
	}
	if p.wantsDiscard(o) {
		if err := p.discard(ctx, v); err != nil {
			s.warn("%s/%s: discard: %v", poolName, volume, err)
		}
	}
	return s.finishDelete(ctx, c, v)
}

// promiseDelete checks that nobody uses the volume and writes the intent.
func (s *System) promiseDelete(ctx context.Context, c *dm.Control, ref *refcount.Ref, v catalog.Volume) (*pool, error) {
	p, err := s.openActive(ctx, c, v.Pool, exclusive)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if _, err := p.canWrite(); err != nil {
		return nil, err
	}
	if err := p.release(ctx, ref, v); err != nil {
		return nil, err
	}
	s.step("deleting %s/%s", v.Pool, v.Name)
	return p, p.fail(p.cat.SetPool(func(c *catalog.Pool) {
		c.Begin(catalog.Operation{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID})
	}))
}

func (p *pool) wantsDiscard(o DeleteOptions) bool {
	if o.Discard != nil {
		return *o.Discard
	}
	return p.cat.Pool().Data.Kind == catalog.KindFile
}

// discard gives all of the volume's own blocks back. The volume's lock is held,
// the pool's is not needed: a volume in use keeps the pool active. The deadline is
// for the device: discarding takes as long as it does.
func (p *pool) discard(ctx context.Context, v catalog.Volume) error {
	wait, cancel := p.sys.waiting(ctx)
	defer cancel()
	a, err := p.activateVolume(wait, v, false)
	if err != nil {
		return err
	}
	defer a.Close()
	what := "discarding " + v.Pool + "/" + v.Name
	return loop.Discard(ctx, a.File, 0, v.Size, func(done int64) { p.sys.Progress(what, done, v.Size) })
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
