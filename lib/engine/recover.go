package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// Recover finishes or undoes what killed commands left in a pool, as every
// command that changes the pool does, too. It activates the pool if there is
// something to do.
func Recover(ctx context.Context, s *host.System, name string) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		if _, err := registry.OpenCatalog(s, name); err != nil {
			return err
		}
		p, err := OpenPool(ctx, s, c, name, Exclusive)
		if errors.Is(err, fault.ErrNotFound) {
			return nil // it was half made, and OpenPool has removed it
		}
		if err != nil {
			return err
		}
		defer p.Close()
		// A user who asks for it wants all of it looked at.
		p.thorough = true
		if len(p.Catalog.Pool().Intents) == 0 && !p.HasDevice() {
			return p.Wrap(p.removeLeftDevices(ctx))
		}
		return p.prepare(ctx)
	})
}

// removeLeftDevices removes the devices that a killed activation left of a pool
// that is not active. It leaves the devices of a copy of the pool. The caller
// holds the pool's lock exclusively.
func (p *Pool) removeLeftDevices(ctx context.Context) error {
	if !p.OwnsDevices() {
		return nil
	}
	for _, part := range []string{dmname.Head, dmname.Pool, dmname.Data, dmname.Meta} {
		if _, err := p.DM.Info(p.Ref(part)); err != nil {
			continue
		}
		if err := p.dropPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// Recover finishes or undoes what dead commands left, so that the catalog, the
// pool and the devices agree. If the pool cannot be written now, it warns and
// leaves the intents. The pool is active, and the caller holds its lock
// exclusively.
func (p *Pool) Recover(ctx context.Context) error {
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	if st.Writable() != nil && !st.Failed() {
		// A command that only reads must not fail because an intent has to
		// wait.
		if _, err := p.leftIntents(st); err != nil {
			return err
		}
		if n := len(p.Catalog.Pool().Interrupted()); n > 0 {
			p.Sys.Warnf("%v; until then %s cannot be finished", p.InState(st),
				fault.Count(n, "interrupted command"))
		}
		return p.RemoveUnused(ctx)
	}
	replayed, err := p.replayIntent(ctx)
	if err != nil {
		return err
	}
	due := p.thorough || p.tidyIsDue()
	dead, err := p.finishDeadCommands(ctx, due)
	if err != nil || !replayed && !dead && !due {
		return err
	}
	return p.RemoveUnused(ctx)
}

// tidyEvery is how often commands look for what killed commands have left and
// no intent speaks of: devices, names, references, temp files, locks. It takes
// longer the more volumes are in use.
const tidyEvery = time.Minute

// tidyIsDue reports whether nobody has looked for tidyEvery.
func (p *Pool) tidyIsDue() bool {
	at, err := p.Lock.Marked()
	since := time.Since(at)
	return err != nil || since < 0 || since > tidyEvery // the clock may have been set back
}

// recoverIfPossible calls Recover for a caller that only needs the pool active.
// If Recover fails, for example because /var is full or read-only, it warns and
// returns nil: the volumes can be used. It returns the error if the pool has
// failed, does not fit the catalog, or is not active any more, and if ctx has
// ended.
func (p *Pool) recoverIfPossible(ctx context.Context) error {
	err := p.Recover(ctx)
	if err == nil || errors.Is(err, fault.ErrPoolState) || ctx.Err() != nil || !p.IsActive() {
		return err
	}
	p.Sys.Warnf("%v: what a killed command left has to wait", err)
	return nil
}

// replayIntent compares the catalog's transaction id with the kernel's. They
// may differ by one intent: its command sent it to the kernel and then died.
// replayIntent finishes or undoes that intent. It also drops each create that
// did not reach the kernel. The caller holds the pool's lock exclusively, so
// the commands of these intents are dead. Only the holder of that lock sends
// the pool messages. any says that there were such intents.
func (p *Pool) replayIntent(ctx context.Context) (any bool, err error) {
	st, err := p.Target.Status()
	if err != nil {
		return false, p.Wrap(err)
	}
	steps, err := p.leftIntents(st)
	if err != nil {
		return false, err
	}
	for _, s := range steps {
		switch {
		case s.InKernel:
			err = p.replayInKernel(ctx, s.Operation)
		case s.Operation.Op == catalog.OpCreate:
			err = p.dropIntent(s.Operation)
		default:
			continue // finishDeadCommands looks whether its command is dead
		}
		any = true
		if err != nil {
			return any, p.Wrap(err)
		}
	}
	return any, nil
}

// leftIntents returns what to do about the intents of dead commands. It returns
// an error if the pool has failed or does not fit the catalog. It changes
// nothing. The decision is catalog.Pool.Recovery's, by the two transaction ids
// alone.
func (p *Pool) leftIntents(st thinpool.Status) ([]catalog.Step, error) {
	if st.Failed() {
		return nil, p.InState(st)
	}
	steps, err := p.Catalog.Pool().Recovery(st.TransactionID)
	return steps, p.wrapMismatch(err)
}

// wrapMismatch returns the error of a catalog that does not fit the pool, or is
// inconsistent.
func (p *Pool) wrapMismatch(err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Object: "pool " + p.Name(), Err: fault.Wrap(fault.ErrPoolState, err),
		Remedy: fault.Sayf("%v; nothing was changed", fault.CompareRecords{Pool: p.Name()})}
}

// replayInKernel ends the intent that had reached the kernel. It finishes a
// delete. It finishes a create, too, if the thin id exists and was made by that
// create. If a filesystem was to follow, or the create had failed, the intent
// is explicit: then replayInKernel deletes the id. An id with another
// transaction id existed before: the create died when the kernel answered
// "exists". The catalog does not know that id, and it may have data, so it
// stays.
func (p *Pool) replayInKernel(ctx context.Context, op catalog.Intent) error {
	if err := p.Catalog.CheckID(op); err != nil {
		return p.wrapMismatch(err)
	}
	if op.Op == catalog.OpDelete {
		return p.deleteID(ctx, op)
	}
	// What the metadata says counts if the kernel could write it.
	if err := p.Target.Confirm(); err != nil {
		return err
	}
	d, exists, err := p.device(op.ID)
	if err != nil {
		return err
	}
	ours := exists && d.TransactionID == op.TransactionID
	switch {
	case ours && !op.Explicit:
		return p.Catalog.Finish(op.Volume)
	case ours:
		// A crash in the middle of this must not finish the create after all:
		// the journal says what is meant before the kernel is asked.
		op.Op = catalog.OpDelete
		if err := p.Catalog.SetPool(func(c *catalog.Pool) { c.BeginIntent(op) }); err != nil {
			return err
		}
		return p.deleteID(ctx, op)
	case exists:
		p.Sys.Warnf("pool %s: thin id %d is in use but has no name", p.Name(), op.ID)
	}
	if err := p.Catalog.RemoveVolume(op.Volume); err != nil {
		return err
	}
	return p.Catalog.SetPool(func(c *catalog.Pool) { c.AbandonIntent(op.Volume) })
}

// readMetadata calls read with the active pool's metadata. It reads past the
// page cache, and one committed state: what was created last is in it, since
// each message is a commit.
func (p *Pool) readMetadata(read func(io.ReaderAt) error) error {
	f, err := host.OpenDirect(p.DM.NodePath(dmname.Part(p.Name(), dmname.Meta)))
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f)
}

// Devices reads from the active pool's metadata what it has of each thin id.
func (p *Pool) Devices() (all map[spec.ID]thinpool.Details, err error) {
	err = p.readMetadata(func(f io.ReaderAt) error {
		all, err = thinpool.ReadDevices(f, 0)
		return err
	})
	return all, err
}

// device is Devices for one thin id.
func (p *Pool) device(id spec.ID) (d thinpool.Details, exists bool, err error) {
	err = p.readMetadata(func(f io.ReaderAt) error {
		d, exists, err = thinpool.ReadDevice(f, 0, id)
		return err
	})
	return d, exists, err
}

// dropIntent drops the intent of a create that did not reach the kernel. The
// kernel is still at the transaction id before it, so that it has no id of this
// operation. The record goes first: with the intent gone, a record would be a
// volume.
func (p *Pool) dropIntent(op catalog.Intent) error {
	if err := p.Catalog.RemoveVolume(op.Volume); err != nil {
		return err
	}
	return p.Catalog.SetPool(func(c *catalog.Pool) { c.DropIntent(op.Volume) })
}

// finishDeadCommands finishes the deletes of dead commands, and deletes the
// volumes of their formats. The command of an intent is dead if the volume's
// lock is free. It looks at volumes in which programs run only if runs is set:
// there may be many, and their commands are mostly alive. If one intent cannot
// be finished now, finishDeadCommands warns and goes on, so that the pool can
// be used: a mkfs may still have the device open, or the catalog may give the
// id to another volume, too. any says that there were such intents.
func (p *Pool) finishDeadCommands(ctx context.Context, runs bool) (any bool, err error) {
	for _, op := range p.Catalog.Pool().Intents {
		if op.Op == catalog.OpRun && !runs {
			continue
		}
		// No command waits for a volume's lock while it holds the pool's: the
		// command that has the volume's lock may wait for the pool's.
		ref, err := p.Sys.Refs().TryLock(p.Volume(op.Volume))
		if err != nil {
			continue
		}
		any = true
		p.Sys.Stepf("finishing the %s of %s", op.Op, p.Volume(op.Volume))
		err = p.finishDelete(ctx, op)
		if err == nil {
			err = ref.Clear()
		}
		registry.Unlock(p.Sys, ref)
		if errors.Is(err, fault.ErrBusy) || errors.As(err, new(*catalog.CorruptError)) {
			p.Sys.Warnf("%v: the %s of %s, which was interrupted, has to wait",
				err, op.Op, p.Volume(op.Volume))
			continue
		}
		if err != nil {
			return any, p.Wrap(err)
		}
	}
	return any, nil
}

// finishDeadCommand does what finishDeadCommands does, for the volume whose
// lock the caller holds. That lock makes finishDeadCommands skip the volume,
// and shows that the command that began the intent is dead.
func (p *Pool) finishDeadCommand(ctx context.Context, volume string) error {
	ops := p.Catalog.Pool().Intents
	i := slices.IndexFunc(ops, func(op catalog.Intent) bool { return op.Volume == volume })
	if i < 0 {
		return nil
	}
	if _, err := p.CanWrite(); err != nil {
		return err
	}
	p.Sys.Stepf("finishing the %s of %s", ops[i].Op, p.Volume(volume))
	return p.Wrap(stillAtWork(ops[i], p.Explain(p.finishDelete(ctx, ops[i]))))
}

// stillAtWork adds to an ErrBusy that an interrupted command of the volume's
// name is still at work: its mkfs, for example, has the device open.
func stillAtWork(op catalog.Intent, err error) error {
	if !errors.Is(err, fault.ErrBusy) {
		return err
	}
	return &fault.Error{
		Err: fault.Errorf(fault.ErrBusy, "an interrupted %s of that name is still at work: %w",
			op.Op, err),
		Remedy: host.RemedyOf(err),
	}
}

// ClearName removes the device that a dead command left under the name of a new
// volume, and waits for processes that have it open for a moment.
// finishDeadCommand does not wait for them, because it runs with the pool's
// lock. The caller holds the volume's lock, under which it has read cat, and
// not the pool's.
func ClearName(
	ctx context.Context, s *host.System, c *dm.Control, cat *catalog.Catalog, volume spec.Volume,
) error {
	for _, op := range cat.Pool().Intents {
		if op.Volume == volume.Name {
			// The catalog was read without a lock. An intent that has ended
			// since has no device any more.
			v := catalog.Volume{Name: volume.Name, Pool: volume.Pool,
				PoolUUID: cat.Pool().UUID, ID: op.ID}
			return stillAtWork(op, RemoveDevice(ctx, s, c, v))
		}
	}
	return nil
}
