package thin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/apart"
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
		if err := s.flushMounted(ctx, c, originRef, o); err != nil {
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
		if err := s.flushMounted(ctx, c, originRef, o); err != nil {
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

// flushMounted writes the origin's dirty data out before it is frozen, so that
// the freeze itself has little to write. It is best effort: the freeze writes
// what is left. But where that would wait for room in the pool, it is an error:
// whoever freezes then waits, too, with the lock that growing the pool wants.
func (s *System) flushMounted(ctx context.Context, c *dm.Control, ref *refcount.Ref, o catalog.Volume) error {
	rec, err := s.observe(c, ref, o)
	if err != nil || rec.MountedOn == "" || rec.References == 0 {
		return nil
	}
	st, err := poolStatus(c, o.PoolUUID)
	if err != nil || st.Mode != thinpool.ModeRW || st.Queues() {
		return nil // whoever opens the pool next says so
	}
	err = s.flush(ctx, c, rec.MountedOn, o, st.OnFull == "queue")
	if err != nil && (errors.Is(err, ErrPoolState) || ctx.Err() != nil) {
		return err
	}
	if err != nil {
		s.step("syncfs %s: %v", rec.MountedOn, err)
	}
	return nil
}

// flush is syncfs(2). If it may have to wait for room it is left behind when
// that comes to pass, or when ctx ends.
func (s *System) flush(ctx context.Context, c *dm.Control, dir string, o catalog.Volume, mayWait bool) error {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if !mayWait {
		return unix.Syncfs(int(f.Fd()))
	}
	defer s.waitingFor("what is dirty in " + dir + " to be written")()
	err = apart.Sync(ctx, f, func() error {
		if st, err := poolStatus(c, o.PoolUUID); err == nil && st.Queues() {
			return full(o.Pool, "out of data space: %s has more to write than there is room for, and a snapshot would wait with it", dir)
		}
		return nil
	})
	if ctx.Err() != nil {
		return waitError(o.Pool+"/"+o.Name, err)
	}
	return err
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
