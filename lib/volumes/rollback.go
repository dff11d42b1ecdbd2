package volumes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// RollbackOptions are the choices of a caller of Rollback.
type RollbackOptions struct {
	Keep    string // name under which the old content is kept; "" chooses one
	Discard bool   // keep nothing of it
	Delete  engine.DeleteOptions
	Force   bool // even if less than the pool's margin is free
}

// Rollback gives a volume the content of another volume of its pool, of which
// it becomes a new snapshot. The old content is a volume of another name
// afterwards, which Rollback returns, or is deleted. One write of the journal
// decides: before it the volume has its old content, and after it the new one,
// also after a kill or a power cut. A volume that is in use is ErrBusy.
func Rollback(
	ctx context.Context, s *host.System, volume spec.Volume, from string, o RollbackOptions,
) (kept spec.Volume, err error) {
	origin := spec.Volume{Pool: volume.Pool, Name: from}
	if origin == volume {
		return kept, &fault.Error{Object: volume.String(),
			Err: fault.Errorf(fault.ErrUsage, "cannot be rolled back to itself")}
	}
	err = s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		for _, v := range []spec.Volume{volume, origin} {
			if _, err := registry.FindVolume(s, v); err != nil {
				return err
			}
		}
		refs, err := lockForRollback(wait, s, volume, origin, o.Keep)
		if err != nil {
			return err
		}
		kept = refs[2].Volume()
		r := rollback{s: s, c: c, o: o, origin: refs[1], kept: refs[2]}
		defer refs[0].Close()
		defer refs[1].Close()
		done := false
		defer func() { unlock(s, refs[2], done) }()
		if r.v, err = registry.FindVolume(s, volume); err != nil {
			return err
		}
		if r.from, err = registry.FindVolume(s, origin); err != nil {
			return err
		}
		if err := r.release(wait, refs[0]); err != nil {
			return err
		}
		err = r.run(ctx, wait, kept.Name)
		done = err == nil
		return err
	})
	return kept, err
}

// keptName returns a name for the old content of a volume: the one that was
// asked for, or else the first that is free of VOLUME.old, VOLUME.old-2 and so
// on.
func keptName(s *host.System, volume spec.Volume, asked string) (string, error) {
	if asked != "" {
		if err := spec.CheckVolumeName(asked); err != nil {
			return "", fault.Wrap(fault.ErrUsage, err)
		}
		return asked, nil
	}
	cat, err := registry.OpenCatalog(s, volume.Pool)
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		name := volume.Name + ".old"
		if n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		if err := spec.CheckVolumeName(name); err != nil {
			return "", &fault.Error{Object: volume.String(),
				Err:    fault.Wrap(fault.ErrUsage, err),
				Remedy: fault.Sayf("%v names what is kept", fault.OptionKeep)}
		}
		if _, err := cat.VolumeAnyState(name); errors.Is(err, catalog.ErrNoVolume) {
			return name, nil
		}
	}
}

// lockForRollback locks the volume, the snapshot, and the name for the old
// content. If another command takes the name that was chosen before it is
// locked, lockForRollback chooses another one.
func lockForRollback(
	ctx context.Context, s *host.System, volume, origin spec.Volume, asked string,
) (refs []*refcount.Ref, err error) {
	for {
		name, err := keptName(s, volume, asked)
		if err != nil {
			return nil, err
		}
		refs, err := lockAll(ctx, s, volume, origin, spec.Volume{Pool: volume.Pool, Name: name})
		if err != nil || asked != "" {
			return refs, err
		}
		if now, err := keptName(s, volume, ""); err == nil && now == name {
			return refs, nil
		}
		unlockAll(s, refs)
	}
}

func unlockAll(s *host.System, refs []*refcount.Ref) {
	for _, ref := range refs {
		if ref != nil {
			registry.Unlock(s, ref)
		}
	}
}

// lockAll locks volumes in the order of their names, as every command does, and
// returns their references in the order of the arguments.
func lockAll(
	ctx context.Context, s *host.System, volumes ...spec.Volume,
) (refs []*refcount.Ref, err error) {
	refs = make([]*refcount.Ref, len(volumes))
	order := make([]int, len(volumes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Compare(volumes[a].Name, volumes[b].Name)
	})
	for n, i := range order {
		if n > 0 && volumes[i] == volumes[order[n-1]] {
			err = &fault.Error{Object: volumes[i].String(),
				Err:    fault.Errorf(fault.ErrExists, "exists already"),
				Remedy: fault.Hint("choose another name")}
		} else {
			refs[i], err = registry.LockVolume(ctx, s, volumes[i])
		}
		if err != nil {
			unlockAll(s, refs)
			return nil, err
		}
	}
	return refs, nil
}

// rollback is one call of Rollback, under the locks of three volumes.
type rollback struct {
	s            *host.System
	c            *dm.Control
	o            RollbackOptions
	v, from      catalog.Volume
	origin, kept *refcount.Ref
}

// release removes a device that is left of the volume.
func (r *rollback) release(ctx context.Context, ref *refcount.Ref) error {
	if err := refuseReadOnly(r.v); err != nil {
		return err
	}
	if err := releaseToRename(ctx, r.s, r.c, ref, r.v); err != nil {
		return err
	}
	return ref.Clear()
}

// run makes a snapshot under the name for the old content, hidden by an intent,
// and then lets the two exchange their names. ctx has no deadline, wait has.
func (r *rollback) run(ctx, wait context.Context, name string) error {
	// The steps have the numbers of the table "rollback" in docs/crashes.md.
	// 1. the snapshot
	cat, err := registry.OpenCatalog(r.s, r.v.Pool)
	if err != nil {
		return err
	}
	p, made, err := snapshotOf(wait, r.s, r.c, r.origin, cat, r.from, name,
		SnapshotOptions{Force: r.o.Force}, snapshotUse{next: catalog.OpFormat})
	if err != nil {
		return err
	}
	r.s.Stepf("rolling back %s to %s", r.v.Spec(), r.from.Spec())
	// 2. the journal
	err = p.Catalog.Exchange(r.v.Name, name, r.o.Discard)
	if err != nil {
		p.Close()
		return finishNew(ctx, r.s, r.c, made, p.Wrap(err))
	}
	// From here on the volume has its new content. So a failure of a later step
	// is a warning.
	if !r.o.Discard {
		p.Close()
		return nil
	}
	old := r.v
	old.Name = name
	d := deletion{s: r.s, c: r.c, ref: r.kept, v: old, o: r.o.Delete}
	d.end(ctx, p, catalog.Intent{Op: catalog.OpDelete, Volume: name, ID: old.ID},
		p.WantsDiscard(d.o))
	return nil
}
