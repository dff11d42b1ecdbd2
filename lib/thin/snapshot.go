package thin

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

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
			return &Error{Object: pool + "/" + volume, Err: reason(ErrExists, "the new name is the origin's"), Hint: "choose another name"}
		}
		originRef, newRef, o, err := s.lockBoth(ctx, pool, origin, volume)
		if err != nil {
			return err
		}
		defer originRef.Close()
		defer s.letGo(newRef, pool, volume)
		if err := s.clearName(ctx, c, pool, volume); err != nil {
			return err
		}
		if _, err := s.flushOrigin(ctx, c, originRef, o); err != nil {
			return err
		}
		p, err := s.openActive(ctx, c, pool, exclusive)
		if err != nil {
			return err
		}
		defer p.close()
		v, err := p.copyOf(o, volume, opt.Size)
		if err != nil {
			return err
		}
		if err := p.canFreeze(o, opt.Force); err != nil {
			return err
		}
		// The lock may have been waited for, while others wrote.
		dir, err := s.flushOrigin(ctx, c, originRef, o)
		if err != nil {
			return err
		}
		s.step("snapshot of %s/%s as %s/%s", pool, origin, pool, volume)
		_, err = p.addVolume(ctx, v, "", opt.Force, p.sendSnapshot(ctx, o, dir))
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

// full is an error of a pool in which writes wait for room.
func full(pool, format string, args ...any) error {
	return &Error{Object: "pool " + pool, Err: reason(ErrPoolState, format, args...), Hint: roomHint(pool)}
}

// freezeRoom is how many of a pool's blocks a freeze may want: a filesystem marks
// itself clean then, in blocks that an earlier snapshot shares.
const freezeRoom = 16

// canFreeze refuses what canGrow does, and the snapshot of an active origin where
// its freeze might wait for room.
func (p *pool) canFreeze(o catalog.Volume, force bool) error {
	if err := p.canGrow(force); err != nil {
		return err
	}
	info, err := p.dm.Info(volumeRef(p.uuid(), o.ID))
	if err != nil || !info.Active() {
		return nil
	}
	st, err := p.thin.Status()
	if err != nil {
		return p.fail(wrap(ErrPoolState, err))
	}
	if free := spaces(p.cat.Pool(), st)[0].free(); st.OnFull == "queue" && free < freezeRoom {
		return full(p.name(), "%d blocks are free, and freezing %s/%s, which may need %d, would wait for room", free, p.name(), o.Name, freezeRoom)
	}
	return nil
}

// copyOf is the record of a new snapshot of o.
func (p *pool) copyOf(o catalog.Volume, name string, size int64) (catalog.Volume, error) {
	if err := thinpool.CheckSize(size); err != nil {
		return o, &Error{Object: p.name() + "/" + name, Err: wrap(ErrUsage, fmt.Errorf("size: %w", err))}
	}
	if size != 0 && size < o.Size {
		return o, &Error{Object: p.name() + "/" + name, Err: reason(ErrUsage, "a snapshot cannot be smaller than its origin (%s)", exactSize(o.Size))}
	}
	v := o
	v.Name, v.Origin, v.OriginID = name, o.Name, o.ID
	v.Size = p.roundUp(max(size, o.Size))
	return v, nil
}
