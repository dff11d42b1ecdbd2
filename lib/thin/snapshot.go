package thin

import (
	"context"
	"errors"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/freeze"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// freezeLimit is how long an origin may stay suspended before the watching
// process lets it run again.
const freezeLimit = time.Second

// SnapshotOptions are the choices of Snapshot.
type SnapshotOptions struct {
	Size  int64 // bytes: enlarges the new volume, not its filesystem; 0 is the origin's size
	Force bool  // although less than the pool's margin is free
}

// Snapshot makes volume an independent, writable copy of what origin holds. An
// active origin is suspended for the moment of the copy, with its filesystem
// frozen, so that the copy is what a power cut would have left at its best:
// fsck has nothing to repair.
func (s *System) Snapshot(ctx context.Context, pool, origin, volume string, opt SnapshotOptions) error {
	if err := catalog.CheckVolumeName(volume); err != nil {
		return wrap(ErrUsage, err)
	}
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		if origin == volume {
			return &Error{Object: pool + "/" + volume, Err: reason(ErrExists, "exists already: it is the origin"), Hint: "choose another name"}
		}
		originRef, newRef, o, err := s.lockBoth(ctx, pool, origin, volume)
		if err != nil {
			return err
		}
		defer originRef.Close()
		defer s.letGo(newRef, pool, volume)
		s.flushMounted(c, originRef, o)

		p, err := s.openActive(ctx, c, pool, exclusive)
		if err != nil {
			return err
		}
		defer p.close()
		v, err := p.copyOf(o, volume, opt.Size)
		if err != nil {
			return err
		}
		s.step("snapshot of %s/%s as %s/%s", pool, origin, pool, volume)
		_, err = p.addVolume(ctx, v, "", opt.Force, p.sendSnapshot(ctx, o))
		return err
	})
}

// lockBoth locks two volumes in the order of their names, as every command
// does, so that no two wait for each other.
func (s *System) lockBoth(ctx context.Context, pool, origin, volume string) (o, n *refcount.Ref, v catalog.Volume, err error) {
	if v, err = s.findVolume(pool, origin); err != nil {
		return nil, nil, v, err
	}
	first, second := origin, volume
	if second < first {
		first, second = second, first
	}
	a, err := s.lockVolume(ctx, pool, first)
	if err != nil {
		return nil, nil, v, err
	}
	b, err := s.lockVolume(ctx, pool, second)
	if err != nil {
		return nil, nil, v, errors.Join(err, a.Close())
	}
	if v, err = s.findVolume(pool, origin); err != nil {
		return nil, nil, v, errors.Join(err, a.Close(), b.Close())
	}
	if first == origin {
		return a, b, v, nil
	}
	return b, a, v, nil
}

// flushMounted writes the origin's dirty data out before anything is locked or
// frozen, so that the freeze itself has little to write. It is best effort:
// the freeze writes what is left.
func (s *System) flushMounted(c *dm.Control, ref *refcount.Ref, o catalog.Volume) {
	rec, err := s.observe(c, ref, o)
	if err != nil || rec.MountedOn == "" || rec.References == 0 || !takesWrites(c, o.PoolUUID) {
		return
	}
	if err := syncFS(rec.MountedOn); err != nil {
		s.step("syncfs %s: %v", rec.MountedOn, err)
	}
}

// takesWrites says that writes into an active pool neither fail nor hang, as
// far as the kernel tells now.
func takesWrites(c *dm.Control, poolUUID string) bool {
	if len(suspended(c, poolUUID)) > 0 {
		return false
	}
	st, err := thinpool.New(c, partUUID(poolUUID, partPool)).Status()
	return err == nil && st.Mode == thinpool.ModeRW
}

// copyOf is the record of a new snapshot of o.
func (p *pool) copyOf(o catalog.Volume, name string, size int64) (catalog.Volume, error) {
	if size != 0 && size < o.Size {
		return o, &Error{Object: p.name() + "/" + name, Err: reason(ErrUsage, "a snapshot cannot be smaller than its origin (%d bytes)", o.Size)}
	}
	v := o
	v.Name, v.Origin, v.OriginID = name, o.Name, o.ID
	v.Size = p.roundUp(max(size, o.Size))
	return v, nil
}

// sendSnapshot sends create_snap, with an active origin suspended around it.
// Nobody else activates, mounts or unmounts the origin meanwhile: its lock is
// ours. A device that goes away by itself just now is inactive.
func (p *pool) sendSnapshot(ctx context.Context, o catalog.Volume) func(thinpool.ID) error {
	ref := volumeRef(p.uuid(), o.ID)
	return func(id thinpool.ID) error {
		send := func() error { return p.thin.CreateSnapshot(id, thinpool.ID(o.ID)) }
		info, err := p.dm.Info(ref)
		if errors.Is(err, dm.ErrNotExist) || err == nil && !info.Active() {
			return send()
		}
		if err != nil {
			return err
		}
		err = freeze.Suspended(ctx, p.dm, ref, freezeLimit, send)
		if errors.Is(err, dm.ErrNotExist) {
			return send()
		}
		return err
	}
}
