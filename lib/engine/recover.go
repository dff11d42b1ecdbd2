package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// Recover finishes or undoes, on demand, what killed commands left in a pool,
// as every command that changes the pool does in passing. It activates the
// pool if there is something to do.
func Recover(ctx context.Context, s *host.System, name string) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		if _, err := registry.OpenCatalog(s, name); err != nil {
			return err
		}
		p, err := OpenPool(ctx, s, c, name, Exclusive)
		if errors.Is(err, fault.ErrNotFound) {
			return nil // it was half made, and is cleared away now
		}
		if err != nil {
			return err
		}
		defer p.Close()
		if len(p.Catalog.Pool().Intents) == 0 && !p.HasDevice() {
			return p.Wrap(p.removeLeftDevices(ctx))
		}
		return p.prepare(ctx)
	})
}

// removeLeftDevices removes the devices that a killed activation has left of a pool that
// is not active. Those of a copy of the pool stay. Exclusive access.
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

// Recover brings the catalog, the pool and the devices in step. Exclusive
// access, pool active.
func (p *Pool) Recover(ctx context.Context) error {
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	if st.Writable() != nil && !st.Failed() {
		// Whoever only reads is not to fail for what has to wait.
		if _, err := p.leftIntents(st); err != nil {
			return err
		}
		if n := len(p.Catalog.Pool().Intents); n > 0 {
			p.Sys.Warnf("%v; until then %s cannot be finished", p.InState(st), fault.Count(n, "interrupted command"))
		}
		return p.RemoveUnused(ctx)
	}
	if err := p.replayIntent(ctx); err != nil {
		return err
	}
	if err := p.finishDeadCommands(ctx); err != nil {
		return err
	}
	return p.RemoveUnused(ctx)
}

// recoverIfPossible is recover for whoever only needs the pool active: that it
// fails, as where /var is full or read-only, is no reason to have no volume. A
// pool that has failed or is not the catalog's is.
func (p *Pool) recoverIfPossible(ctx context.Context) error {
	err := p.Recover(ctx)
	if err == nil || errors.Is(err, fault.ErrPoolState) || ctx.Err() != nil || !p.IsActive() {
		return err
	}
	p.Sys.Warnf("%v: what a killed command left has to wait", err)
	return nil
}

// replayIntent compares the catalog's transaction id with the pool's. One operation
// may lie between them: the one that was at the kernel when its command died,
// and whose command, holding the pool alone, can only be dead.
func (p *Pool) replayIntent(ctx context.Context) error {
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(err)
	}
	steps, err := p.leftIntents(st)
	if err != nil {
		return err
	}
	for _, s := range steps {
		switch {
		case s.InKernel:
			err = p.replayInKernel(ctx, s.Operation)
		case s.Operation.Op == catalog.OpCreate:
			err = p.dropIntent(s.Operation)
		}
		if err != nil {
			return p.Wrap(err)
		}
	}
	return nil
}

// leftIntents gives what is to be done about the operations of dead commands.
func (p *Pool) leftIntents(st thinpool.Status) ([]catalog.Step, error) {
	if st.Failed() {
		return nil, p.InState(st)
	}
	steps, err := p.Catalog.Pool().Recovery(st.TransactionID)
	return steps, p.wrapMismatch(err)
}

// wrapMismatch is the error of a catalog that does not fit the pool, or itself.
func (p *Pool) wrapMismatch(err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Object: "pool " + p.Name(), Err: fault.Wrap(fault.ErrPoolState, err),
		Remedy: fault.Sayf("%v; nothing was changed", fault.CompareRecords{Pool: p.Name()})}
}

// replayInKernel ends the operation that was at the kernel. The id of a create is
// deleted only if that create has made it: one that the catalog did not know was
// there before, and somebody's, where the create died at the kernel's "exists".
func (p *Pool) replayInKernel(ctx context.Context, op catalog.Intent) error {
	if err := p.Catalog.CheckID(op); err != nil {
		return p.wrapMismatch(err)
	}
	if op.Op == catalog.OpDelete {
		return p.deleteID(ctx, op)
	}
	devices, err := p.Devices()
	if err != nil {
		return err
	}
	if d, ok := devices[thinpool.ID(op.ID)]; ok && d.TransactionID != op.TransactionID {
		p.Sys.Warnf("pool %s: thin id %d is in use but has no name", p.Name(), op.ID)
		if err := p.Catalog.RemoveVolume(op.Volume); err != nil {
			return err
		}
		return p.Catalog.SetPool(func(c *catalog.Pool) { c.FinishIntent(op.Volume) })
	}
	return p.deleteID(ctx, op)
}

// Devices reads what the active pool's metadata says of all thin ids.
func (p *Pool) Devices() (map[thinpool.ID]thinpool.Details, error) {
	f, err := host.OpenDirect(p.DM.NodePath(dmname.Part(p.Name(), dmname.Meta)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return thinpool.ReadDevices(f, 0)
}

// dropIntent undoes the intent of a create that the kernel never saw.
func (p *Pool) dropIntent(op catalog.Intent) error {
	if err := p.Catalog.RemoveVolume(op.Volume); err != nil {
		return err
	}
	return p.Catalog.SetPool(func(c *catalog.Pool) { c.DropIntent(op.Volume) })
}

// deleteID deletes op's thin id and name, for a delete and for the undoing of
// a create alike, under the transaction id that op has taken already.
func (p *Pool) deleteID(ctx context.Context, op catalog.Intent) error {
	if err := p.RemoveVolumeDevice(ctx, op.Volume, op.ID); err != nil {
		return err
	}
	if err := p.sendDelete(ctx, thinpool.ID(op.ID)); err != nil {
		return err
	}
	if err := p.Target.Confirm(); err != nil {
		return err
	}
	if err := p.Catalog.RemoveVolume(op.Volume); err != nil {
		return err
	}
	return p.Catalog.SetPool(func(c *catalog.Pool) { c.FinishIntent(op.Volume) })
}

// sendDelete deletes a thin id; gone already is no error. A device that the
// kernel removes by itself is out of sight some time before it lets go of its
// id (drivers/md/dm.c, __dm_destroy), and the pool says EBUSY until then.
func (p *Pool) sendDelete(ctx context.Context, id thinpool.ID) error {
	for {
		err := p.Target.Delete(id)
		if errors.Is(err, thinpool.ErrNoSuchID) {
			return nil
		}
		if !errors.Is(err, thinpool.ErrIDInUse) {
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.ErrBusy, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// finishDeadCommands goes on with formats and deletes whose command has died, which
// shows in the volume's lock being free. One that cannot be ended now keeps
// nobody from the pool: its mkfs may still be running, or the catalog gives its
// id to another volume, too.
func (p *Pool) finishDeadCommands(ctx context.Context) error {
	for _, op := range p.Catalog.Pool().Intents {
		ref, err := p.Sys.Refs().TryLock(p.Name(), op.Volume)
		if err != nil {
			continue
		}
		p.Sys.Stepf("finishing the %s of %s/%s", op.Op, p.Name(), op.Volume)
		err = p.finishDelete(ctx, op)
		if err == nil {
			err = ref.Clear()
		}
		registry.Unlock(p.Sys, ref, p.Name(), op.Volume)
		if errors.Is(err, fault.ErrBusy) || errors.As(err, new(*catalog.CorruptError)) {
			p.Sys.Warnf("%v: the %s of %s/%s, which was interrupted, has to wait", err, op.Op, p.Name(), op.Volume)
			continue
		}
		if err != nil {
			return p.Wrap(err)
		}
	}
	return nil
}

// finishDeadCommand is finishLeft for the volume whose lock the caller has: that lock
// keeps finishLeft away, and says that whoever has begun the operation is dead.
func (p *Pool) finishDeadCommand(ctx context.Context, volume string) error {
	ops := p.Catalog.Pool().Intents
	i := slices.IndexFunc(ops, func(op catalog.Intent) bool { return op.Volume == volume })
	if i < 0 {
		return nil
	}
	if _, err := p.CanWrite(); err != nil {
		return err
	}
	p.Sys.Stepf("finishing the %s of %s/%s", ops[i].Op, p.Name(), volume)
	return p.Wrap(stillAtWork(ops[i], p.Explain(p.finishDelete(ctx, ops[i]))))
}

// stillAtWork says of a device that is busy whose it is: its mkfs, say, is still
// running.
func stillAtWork(op catalog.Intent, err error) error {
	if !errors.Is(err, fault.ErrBusy) {
		return err
	}
	return &fault.Error{Err: fault.Errorf(fault.ErrBusy, "an interrupted %s of that name is still at work: %w", op.Op, err), Remedy: host.RemedyOf(err)}
}

// ClearName removes the device that a dead command has left of the name of a new
// volume, and waits for those who look at it in passing, which finishOwn, with
// the pool's lock, does not. The caller has the volume's lock alone.
func ClearName(ctx context.Context, s *host.System, c *dm.Control, pool, volume string) error {
	cat, err := registry.OpenCatalog(s, pool)
	if err != nil {
		return err
	}
	for _, op := range cat.Pool().Intents {
		if op.Volume == volume {
			v := catalog.Volume{Name: volume, Pool: pool, PoolUUID: cat.Pool().UUID, ID: op.ID}
			return stillAtWork(op, RemoveDevice(ctx, s, c, v))
		}
	}
	return nil
}

// finishDelete deletes the volume of a left operation, unless somebody has its device
// open: the pool's lock is held, and nobody is waited for.
func (p *Pool) finishDelete(ctx context.Context, op catalog.Intent) error {
	if err := p.Catalog.CheckID(op); err != nil {
		return p.wrapMismatch(err)
	}
	if info, err := p.DM.Info(dmname.VolumeRef(p.UUID(), op.ID)); err == nil && info.OpenCount > 0 {
		return DeviceBusy(p.Sys, p.DM, p.Name()+"/"+op.Volume, info, DeviceHolders(ctx, info.Dev, ""))
	}
	if op.Op == catalog.OpDelete && p.WantsDiscard(DeleteOptions{}) {
		if err := p.discardLeft(ctx, op.Volume); err != nil {
			p.Sys.Warnf("%s/%s: deleted without giving all of its space back to what is below the pool: %v", p.Name(), op.Volume, err)
		}
	}
	return p.DeleteVolume(ctx, op)
}

// discardLeft discards what it comes to of a volume that another command was to
// delete: this one, which has work of its own and the pool alone, is not to run
// out of time for it. Deleting gives the rest back to the pool.
func (p *Pool) discardLeft(ctx context.Context, volume string) error {
	v, err := p.Catalog.VolumeAnyState(volume)
	if errors.Is(err, catalog.ErrNoVolume) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, othersWait)
	defer cancel()
	return p.Discard(ctx, v)
}

// DeleteVolume is the second half of a delete: the message, and the end of the
// operation.
func (p *Pool) DeleteVolume(ctx context.Context, op catalog.Intent) error {
	if err := p.RemoveVolumeDevice(ctx, op.Volume, op.ID); err != nil {
		return err
	}
	op.Op = catalog.OpDelete
	op, err := p.Begin(op)
	if err != nil {
		return errors.Join(err, p.replayIntent(ctx))
	}
	return p.deleteID(ctx, op)
}
