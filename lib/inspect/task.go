package inspect

import (
	"context"
	"errors"

	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// step is when a repair is carried out. The steps run in the order in which
// they are declared.
type step int

const (
	_ step = iota

	// The pool takes no other change before its metadata has been checked.
	atMetadata

	// The records of volumes come before the transaction id, because commands
	// refuse a pool whose transaction id does not fit. So no command changes
	// the pool before every thin id has a name.
	atRecords
	atTransaction

	// A suspended pool answers no message.
	atResume
	atSnapshot
	atIntents
	atDevices
	atParts

	atFiles
	atStrays

	// What volumes have in the first blocks is moved when all else is sound.
	atHead
)

// task is the work of one repair.
type task struct {
	step step
	do   func(context.Context) error
}

// repairs carries out the repairs of one pool, or of strays.
type repairs struct {
	sys  *host.System
	name string       // of the pool; "" for strays
	c    *dm.Control  // for strays
	pool *engine.Pool // opened exclusively; nil in atMetadata, atHead and for strays

	begun map[string]bool // what onlyOnce has called
}

// task returns the task of a repair.
func (r *repairs) task(repair check.Repair) task {
	switch d := repair.(type) {
	case check.RunThinCheck:
		return task{atMetadata, func(ctx context.Context) error {
			return checkMetadata(ctx, r.sys, r.name)
		}}
	case check.RemoveRecord:
		return task{atRecords, r.locked(d.Volume, func(_ context.Context, ref *refcount.Ref) error {
			return removeRecord(r.pool, ref, d)
		})}
	case check.SetSize:
		return task{atRecords, r.locked(d.Volume, func(context.Context, *refcount.Ref) error {
			return setSize(r.pool, d)
		})}
	case check.NameID:
		return task{atRecords, r.locked(d.Volume.Name, func(context.Context, *refcount.Ref) error {
			return nameID(r.pool, d)
		})}
	case check.TakeOver:
		return task{atTransaction, func(context.Context) error { return takeOver(r.pool, d) }}
	case check.ForgetIntent:
		return task{atTransaction, func(context.Context) error { return forgetIntent(r.pool, d) }}
	case check.Resume:
		if d.Part == "" {
			return r.removeUnused()
		}
		return task{atResume, r.onlyOnce("resume", resumeParts)}
	case check.ReleaseSnapshot:
		return task{atSnapshot, r.onlyOnce("release", releaseSnapshot)}
	case check.FinishDelete:
		return r.recoverIntents()
	case check.UndoCreate:
		return r.recoverIntents()
	case check.RemoveDevice:
		if d.Part == "" {
			return r.removeUnused()
		}
		return task{atParts, r.onlyOnce("dismantle", dismantle)}
	case check.RemoveNode:
		return r.removeUnused()
	case check.RemoveLink:
		return r.removeUnused()
	case check.RemoveTemp:
		remove := func() error { return r.pool.Catalog.RemoveTemp(d.Temp) }
		if d.Temp.Volume == "" {
			return task{atFiles, func(context.Context) error { return remove() }}
		}
		return task{atFiles, r.locked(d.Temp.Volume,
			func(context.Context, *refcount.Ref) error { return remove() })}
	case check.CorrectRecord:
		return task{atFiles, r.locked(d.Volume, func(_ context.Context, ref *refcount.Ref) error {
			return correctRecord(r.pool, ref, d.Volume)
		})}
	case check.RemoveEntry:
		return task{atFiles, r.locked(d.Entry.Volume.Name,
			func(_ context.Context, ref *refcount.Ref) error { return removeEntry(ref, d.Entry) })}
	case check.WriteLines:
		return task{atFiles, r.locked(d.Volume, func(ctx context.Context, ref *refcount.Ref) error {
			return writeLines(ctx, r.pool, ref, d.Volume)
		})}
	case check.RemoveLines:
		return task{atFiles, func(ctx context.Context) error {
			return dropUtab(ctx, r.pool, d.Target)
		}}
	case check.RemoveFolder:
		return r.stray(d.Pool, func() error { return r.sys.Catalogs().RemoveStray(d.Pool) })
	case check.RemoveStrayNode:
		return r.stray(d.Pool, func() error { return r.c.DropStaleNode(d.Node) })
	case check.RemoveLinks:
		return r.stray(d.Pool, func() error { return dropAliases(r.sys, r.c, d.Pool) })
	case check.RemoveStrayEntry:
		return r.stray(d.Entry.Volume.Pool,
			func() error { return removeStrayEntry(r.sys, d.Entry) })
	case check.ReserveHead:
		return task{atHead, func(ctx context.Context) error {
			return reserveHead(ctx, r.sys, r.name)
		}}
	}
	return task{}
}

// removeUnused is the task of all that every command removes or resumes before
// its own work.
func (r *repairs) removeUnused() task {
	return task{atDevices, r.onlyOnce("unused",
		func(ctx context.Context, p *engine.Pool) error { return p.RemoveUnused(ctx) })}
}

// recoverIntents is the task of an intent that every command finishes or undoes
// before its own work.
func (r *repairs) recoverIntents() task {
	return task{atIntents, r.onlyOnce("recover", recoverIntents)}
}

// stray is the task of a stray.
func (r *repairs) stray(pool string, remove func() error) task {
	return task{atStrays, func(context.Context) error { return removeStray(r.sys, pool, remove) }}
}

// onlyOnce returns do for a repair that mends all findings of its kind at once.
// Only the first call for a name does anything.
func (r *repairs) onlyOnce(
	name string, do func(context.Context, *engine.Pool) error,
) func(context.Context) error {
	return func(ctx context.Context) error {
		if r.begun[name] {
			return nil
		}
		r.begun[name] = true
		return do(ctx, r.pool)
	}
}

// locked returns do with the lock of a volume. If another command has the lock,
// it does nothing, and the next check finds this again.
func (r *repairs) locked(
	volume string, do func(context.Context, *refcount.Ref) error,
) func(context.Context) error {
	return func(ctx context.Context) error {
		ref, err := r.sys.Refs().TryLock(spec.Volume{Pool: r.name, Name: volume})
		if err != nil {
			return nil
		}
		defer registry.Unlock(r.sys, ref)
		return do(ctx, ref)
	}
}

// do carries out those repairs whose step is among steps, in the order of
// steps. It ends after a step in which a repair has failed. A failed repair
// does not stop the others of its step.
func (r *repairs) do(ctx context.Context, found []check.Finding, steps ...step) error {
	for _, now := range steps {
		var errs []error
		for _, d := range found {
			t := r.task(d.Repair)
			if t.step != now {
				continue
			}
			r.sys.Stepf("%s: %s", d.Object, d.Repair)
			err := t.do(ctx)
			if r.pool != nil {
				err = r.pool.Wrap(err)
			}
			errs = append(errs, err)
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// repairPool carries out the repairs of a pool that is open. If a repair of a
// record fails, it stops, since the later steps rely on the records. Otherwise
// a failed repair of devices does not stop those of files.
func (r *repairs) repairPool(ctx context.Context, found []check.Finding) error {
	if err := r.do(ctx, found, atRecords); err != nil {
		return err
	}
	err := r.do(ctx, found, atTransaction)
	devices := r.pool.RefuseCopy()
	if devices == nil {
		devices = r.do(ctx, found, atResume, atSnapshot, atIntents, atDevices, atParts)
	}
	return errors.Join(err, devices, r.do(ctx, found, atFiles))
}
