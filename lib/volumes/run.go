package volumes

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// runKey is the property that has the key of a volume that a program has
// filled.
const runKey = "thin:key"

// ForRun describes a snapshot that is made for a program to run in it.
type ForRun struct {
	Origin spec.Volume
	Name   string // of the snapshot; "" if a name is to be made up
	Key    string // "" or that of a volume that may be there already
	// Replace deletes the volume of that name first, if it has another key or
	// another origin. It deletes none without a key.
	Replace bool
	Force   bool // make it even if less than the pool's margin is free
}

// OfRun is a volume that belongs to this process, which has its lock: an intent
// hides it from commands that change volumes. It ends with Keep or Drop. If the
// process dies before, a later command deletes the volume.
type OfRun struct {
	s   *host.System
	c   *dm.Control
	ref *refcount.Ref
	v   catalog.Volume
}

// Volume is the record of the volume.
func (r *OfRun) Volume() catalog.Volume { return r.v }

// MakeForRun makes a snapshot for a program to run in it. It calls under while
// the pool is still open; an error of under deletes the snapshot. volume is its
// name, or that of the volume that is there already.
//
// With a key, MakeForRun returns nil instead if the volume of that name has the
// key and is a snapshot of the origin. If another process is about to fill it,
// MakeForRun waits for that, however long it takes.
func MakeForRun(
	ctx context.Context, s *host.System, c *dm.Control, want ForRun,
	under func(context.Context, *engine.Pool, catalog.Volume) error,
) (r *OfRun, volume spec.Volume, err error) {
	_, o, err := registry.Find(s, want.Origin)
	if err != nil {
		return nil, volume, err
	}
	properties := spec.Properties(nil)
	if want.Key != "" {
		properties = spec.Properties{runKey: want.Key}
	}
	volume = spec.Volume{Pool: o.Pool, Name: want.name(o)}
	if err := errors.Join(properties.Check(), volume.Check()); err != nil {
		return nil, volume, fault.Wrap(fault.ErrUsage, err)
	}
	if volume == want.Origin {
		return nil, volume, &fault.Error{Object: volume.String(),
			Err: fault.Errorf(fault.ErrExists, "the new name is the origin's")}
	}
	if _, there, err := want.there(s, volume, o, false); there || err != nil {
		return nil, volume, err
	}
	wait, cancel := s.Waiting(ctx)
	defer cancel()
	originRef, ref, err := want.lock(ctx, wait, s, volume)
	if err != nil {
		return nil, volume, err
	}
	defer originRef.Close()
	made := &OfRun{s: s, c: c, ref: ref}
	defer func() {
		if made != nil && r == nil {
			registry.Unlock(s, ref)
		}
	}()
	cat, o, err := registry.Find(s, want.Origin)
	if err != nil {
		return nil, volume, err
	}
	old, there, err := want.there(s, volume, o, true)
	if there || err != nil {
		return nil, volume, err
	}
	if old != nil {
		d := deletion{s: s, c: c, ref: ref, v: *old}
		if err := d.run(ctx, wait); err != nil {
			return nil, volume, err
		}
		if cat, o, err = registry.Find(s, want.Origin); err != nil {
			return nil, volume, err
		}
	}
	p, v, err := snapshotOf(wait, s, c, originRef, cat, o, volume.Name,
		SnapshotOptions{Force: want.Force},
		snapshotUse{then: catalog.OpRun, properties: properties})
	if err != nil {
		return nil, volume, err
	}
	made.v = v
	originRef.Close()
	err = under(wait, p, v)
	p.Close()
	if err != nil {
		made.Drop(ctx)
		made = nil // its lock is released
		return nil, volume, err
	}
	return made, volume, nil
}

// name returns the name of the new volume. Without one from the user it is the
// origin's with a random number, or with one that stands for the key and for
// this origin.
func (want ForRun) name(o catalog.Volume) string {
	if want.Name != "" {
		return want.Name
	}
	number := fmt.Sprintf("-%08x", rand.Uint32())
	if want.Key != "" {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %d %s", o.ID, o.TransactionID, want.Key)
		number = fmt.Sprintf("-%016x", h.Sum64())
	}
	const longest = 72 // as in spec.CheckVolumeName
	return o.Name[:min(len(o.Name), longest-len(number))] + number
}

// there tells whether the volume is there already, with the key that is wanted.
// If one is to be replaced, old is its record. Any other volume of that name is
// ErrExists. One that a program is about to fill is an error only without a
// key. locked says that the caller has the volume's lock: then that program was
// killed.
func (want ForRun) there(
	s *host.System, volume spec.Volume, o catalog.Volume, locked bool,
) (old *catalog.Volume, there bool, err error) {
	if want.Name == "" && want.Key == "" {
		return nil, false, nil
	}
	cat, v, err := registry.Find(s, volume)
	switch {
	case errors.Is(err, fault.ErrNotFound),
		errors.Is(err, registry.ErrOfRun) && (locked || want.Key != ""):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case want.Key == "":
		return nil, false, registry.RefuseTaken(cat, volume)
	}
	var other differences
	if v.Properties[runKey] != want.Key {
		other.add("key", v.Properties[runKey], want.Key)
	}
	if !isOrigin(o, v) {
		other = append(other, "it is no snapshot of this "+o.Name)
	}
	if len(other) > 0 && want.Replace && v.Properties[runKey] != "" {
		return &v, false, nil
	}
	err = other.err(v)
	return nil, err == nil, err
}

// lock takes the locks of the origin and of the new volume. It never waits for
// the lock of the new volume while it has that of the origin: a program may run
// in the new volume for long. With a key it waits for that program until ctx
// ends, and otherwise until wait ends.
func (want ForRun) lock(
	ctx, wait context.Context, s *host.System, volume spec.Volume,
) (o, n *refcount.Ref, err error) {
	for {
		if o, err = registry.LockVolume(wait, s, want.Origin); err != nil {
			return nil, nil, err
		}
		n, err = s.Refs().TryLock(volume)
		if err == nil {
			return o, n, nil
		}
		o.Close()
		if !errors.Is(err, filelock.ErrLocked) {
			return nil, nil, err
		}
		long := wait
		if want.Key != "" {
			long = ctx
		}
		if n, err = registry.LockVolume(long, s, volume); err != nil {
			return nil, nil, err
		}
		registry.Unlock(s, n)
	}
}

// Keep makes the volume one like any other. withKey says that it has what its
// key promises.
func (r *OfRun) Keep(ctx context.Context, withKey bool) error {
	wait, cancel := r.s.Waiting(context.WithoutCancel(ctx))
	defer cancel()
	p, err := engine.OpenPool(wait, r.s, r.c, r.v.Pool, engine.Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	if !withKey {
		r.v.Properties = nil
	}
	if err := p.Wrap(p.Catalog.FinishRun(r.v)); err != nil {
		return err
	}
	r.ref.CloseRemove()
	return nil
}

// Drop deletes the volume, in which no program runs any more. If that cannot be
// done now, a later command does it. It discards nothing below the pool: the
// next volume of this kind uses the same blocks again.
func (r *OfRun) Drop(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	wait, cancel := r.s.Waiting(ctx)
	defer cancel()
	d := deletion{s: r.s, c: r.c, ref: r.ref, v: r.v,
		o: engine.DeleteOptions{Discard: new(bool)}}
	err := engine.RemoveDevice(wait, r.s, r.c, r.v)
	if err == nil {
		err = d.delete(ctx, wait)
	}
	if d.gone {
		r.ref.CloseRemove()
		return
	}
	registry.Unlock(r.s, r.ref)
	if err != nil {
		r.s.Warnf("%v: a later command deletes it", err)
	}
}
