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
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// SnapshotOptions are the choices of a caller of Snapshot.
type SnapshotOptions struct {
	Size     int64 // bytes: enlarges the new volume; 0: as the origin
	GrowFS   bool  // enlarge its filesystem, too
	ReadOnly bool  // its device is read-only
	Force    bool  // make it even if less than the pool's margin is free
}

// Snapshot makes an independent, writable copy of what origin holds. The copy
// is called name, in the same pool. For the moment of the copy Snapshot
// suspends an active origin and freezes its filesystem. So the copy is in the
// best state that a power cut could have left: fsck has nothing to repair.
func Snapshot(
	ctx context.Context, s *host.System, origin spec.Volume, name string, opt SnapshotOptions,
) error {
	_, err := snapshot(ctx, s, origin, name, opt, nil)
	return err
}

// snapshot is Snapshot and EnsureSnapshot. If the new volume exists and suits
// is not nil, suits is asked about the records of the origin and of the volume,
// and nothing is made.
func snapshot(
	ctx context.Context, s *host.System, origin spec.Volume, name string, opt SnapshotOptions,
	suits func(_ *catalog.Catalog, origin, there catalog.Volume) error,
) (made bool, err error) {
	if err := spec.CheckVolumeName(name); err != nil {
		return false, fault.Wrap(fault.ErrUsage, err)
	}
	volume := spec.Volume{Pool: origin.Pool, Name: name}
	err = s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		if origin == volume {
			return &fault.Error{Object: volume.String(),
				Err:    fault.Errorf(fault.ErrExists, "the new name is the origin's"),
				Remedy: fault.Hint("choose another name")}
		}
		originRef, newRef, cat, o, err := lockBoth(wait, s, origin, volume)
		if err != nil {
			return err
		}
		defer originRef.Close()
		defer func() { unlock(s, newRef, made) }()
		if suits != nil {
			cat, v, ok, err := existing(s, volume)
			if err != nil {
				return err
			}
			if ok {
				return suits(cat, o, v)
			}
		}
		use := snapshotUse{}
		if opt.GrowFS || opt.ReadOnly {
			use.next = catalog.OpFormat
		}
		p, v, err := snapshotOf(wait, s, c, originRef, cat, o, name, opt, use)
		if err != nil {
			return err
		}
		p.Close()
		if use.next != "" {
			err = finishNew(ctx, s, c, v, finishSnapshot(ctx, s, c, v, opt))
		}
		made = err == nil
		return err
	})
	return made, err
}

// snapshotUse says what a new snapshot is for.
type snapshotUse struct {
	then       string // engine.AddOptions.Then
	next       string // engine.AddOptions.Next
	properties spec.Properties
}

// snapshotOf makes a snapshot of a volume. The caller holds the locks of the
// origin and of the new name, and has read cat and o under them. It closes the
// pool, which is locked exclusively.
func snapshotOf(
	ctx context.Context, s *host.System, c *dm.Control, originRef *refcount.Ref,
	cat *catalog.Catalog, o catalog.Volume, name string, opt SnapshotOptions, use snapshotUse,
) (p *engine.Pool, v catalog.Volume, err error) {
	volume := spec.Volume{Pool: o.Pool, Name: name}
	if err := engine.ClearName(ctx, s, c, cat, volume); err != nil {
		return nil, v, err
	}
	var dir string
	flushed := mayBeActive(s, originRef, o)
	if flushed {
		if dir, err = flushOrigin(ctx, s, c, originRef, o); err != nil {
			return nil, v, err
		}
	}
	if p, err = engine.OpenActive(ctx, s, c, o.Pool, engine.Exclusive); err != nil {
		return nil, v, err
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if v, err = copyOf(p, o, name, opt); err != nil {
		return p, v, err
	}
	v.Properties = use.properties
	if err = canFreeze(p, o, opt.Force); err != nil {
		return p, v, err
	}
	// While this command waited for the pool's lock, other programs may have
	// written to the origin. Without a wait, the freeze writes what has become
	// dirty since, in less time than another process takes to start; but not
	// where that might wait for room.
	if !flushed || p.Lock.Waited() || p.Catalog.Pool().OnFull == spec.OnFullQueue {
		if dir, err = flushOrigin(ctx, s, p.DM, originRef, o); err != nil {
			return p, v, err
		}
	}
	s.Stepf("snapshot of %s as %s", o.Spec(), volume)
	info, e := p.DM.Info(dmname.VolumeRef(p.UUID(), o.ID))
	active := !errors.Is(e, dm.ErrNotExist) && (e != nil || info.Active())
	send := func(id spec.ID) error { return p.Target.CreateSnapshot(id, o.ID) }
	if active {
		send = sendSnapshot(ctx, p, o, dir)
	}
	add := engine.AddOptions{Force: opt.Force, Unsettled: active, Then: use.then,
		Next: use.next}
	v, err = p.AddVolume(ctx, v, add, send)
	return p, v, err
}

// lockBoth locks two volumes of a pool in the order of their names, as every
// command does. So two commands cannot block each other for ever. It returns
// the references of the origin and of the new volume, and the catalog with the
// origin's record as it was read under the locks.
func lockBoth(ctx context.Context, s *host.System, origin, volume spec.Volume) (
	o, n *refcount.Ref, cat *catalog.Catalog, v catalog.Volume, err error,
) {
	if v, err = registry.FindVolume(s, origin); err != nil {
		return nil, nil, nil, v, err
	}
	first, second := origin, volume
	if second.Name < first.Name {
		first, second = second, first
	}
	a, err := registry.LockNew(ctx, s, first)
	if err != nil {
		return nil, nil, nil, v, err
	}
	b, err := registry.LockNew(ctx, s, second)
	if err != nil {
		return nil, nil, nil, v, errors.Join(err, a.Close())
	}
	if cat, v, err = registry.Find(s, origin); err != nil {
		return nil, nil, nil, v, errors.Join(err, a.Close(), b.Close())
	}
	if first == origin {
		return a, b, cat, v, nil
	}
	return b, a, cat, v, nil
}

// Full returns the error of a pool in which writes wait for room.
func Full(pool, format string, args ...any) error {
	return &fault.Error{Object: "pool " + pool,
		Err: fault.Errorf(fault.ErrPoolState, format, args...), Remedy: health.RoomRemedy(pool)}
}

// freezeRoom is how many free blocks of the pool a freeze may need. The
// filesystem marks itself clean then. If an earlier snapshot shares the blocks
// that it writes, each of them needs a new one.
const freezeRoom = 16

// canFreeze returns the error of p.CanGrow. It also refuses the snapshot of an
// active origin if the freeze might wait for room in the pool.
func canFreeze(p *engine.Pool, o catalog.Volume, force bool) error {
	if err := p.CanGrow(force); err != nil {
		return err
	}
	info, err := p.DM.Info(dmname.VolumeRef(p.UUID(), o.ID))
	if err != nil || !info.Active() {
		return nil
	}
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	free := health.Spaces(p.Catalog.Pool(), st)[0].Free()
	if st.OnFull == spec.OnFullQueue && free < freezeRoom {
		return Full(p.Name(),
			"%d blocks are free, and freezing %s, which may need %d, would wait for room", free,
			o.Spec(), freezeRoom)
	}
	return nil
}

// copyOf returns the record of a new snapshot of o.
func copyOf(
	p *engine.Pool, o catalog.Volume, name string, opt SnapshotOptions,
) (catalog.Volume, error) {
	size := opt.Size
	if err := thinpool.CheckSize(size); err != nil {
		return o, &fault.Error{Object: p.Volume(name).String(),
			Err: fault.Wrap(fault.ErrUsage, fmt.Errorf("size: %w", err))}
	}
	if size != 0 && size < o.Size {
		return o, &fault.Error{Object: p.Volume(name).String(),
			Err: fault.Errorf(fault.ErrUsage, "a snapshot cannot be smaller than its origin (%s)",
				fault.ExactSize(o.Size))}
	}
	v := o
	v.Name, v.Origin, v.OriginID = name, o.Name, o.ID
	v.ReadOnly = opt.ReadOnly
	v.Properties = nil // docs/design.md, "Properties", says why
	v.Size = roundUp(p.Catalog.Pool(), max(size, o.Size))
	return v, nil
}
