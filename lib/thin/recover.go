package thin

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// Recover finishes or undoes, on demand, what killed commands left in a pool,
// as every command that changes the pool does in passing. It activates the
// pool if there is something to do.
func (s *System) Recover(ctx context.Context, name string) error {
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		if _, err := s.openCatalog(name); err != nil {
			return err
		}
		p, err := s.openPool(ctx, c, name, exclusive)
		if errors.Is(err, ErrNotFound) {
			return nil // it was half made, and is cleared away now
		}
		if err != nil {
			return err
		}
		defer p.close()
		if len(p.cat.Pool().Operations) == 0 && !p.hasDevice() {
			return p.fail(p.dropRest(ctx))
		}
		return p.ready(ctx)
	})
}

// dropRest removes the devices that a killed activation has left of a pool that
// is not active. Those of a copy of the pool stay. Exclusive access.
func (p *pool) dropRest(ctx context.Context) error {
	if !p.ownsDevices() {
		return nil
	}
	for _, part := range []string{partHead, partPool, partData, partMeta} {
		if _, err := p.dm.Info(p.ref(part)); err != nil {
			continue
		}
		if err := p.dropPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// recover brings the catalog, the pool and the devices in step. Exclusive
// access, pool active.
func (p *pool) recover(ctx context.Context) error {
	st, err := p.thin.Status()
	if err != nil {
		return p.fail(wrap(ErrPoolState, err))
	}
	if st.Writable() != nil && !st.Failed() {
		// Whoever only reads is not to fail for what has to wait.
		if _, err := p.compare(st); err != nil {
			return err
		}
		if n := len(p.cat.Pool().Operations); n > 0 {
			p.sys.warn("%v; until then %s cannot be finished", p.inState(st), Count(n, "interrupted command"))
		}
		return p.sweep(ctx)
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	if err := p.finishLeft(ctx); err != nil {
		return err
	}
	return p.sweep(ctx)
}

// recoverIfPossible is recover for whoever only needs the pool active: that it
// fails, as where /var is full or read-only, is no reason to have no volume. A
// pool that has failed or is not the catalog's is.
func (p *pool) recoverIfPossible(ctx context.Context) error {
	err := p.recover(ctx)
	if err == nil || errors.Is(err, ErrPoolState) || ctx.Err() != nil || !p.isActive() {
		return err
	}
	p.sys.warn("%v: what a killed command left has to wait", err)
	return nil
}

// settle compares the catalog's transaction id with the pool's. One operation
// may lie between them: the one that was at the kernel when its command died,
// and whose command, holding the pool alone, can only be dead.
func (p *pool) settle(ctx context.Context) error {
	st, err := p.thin.Status()
	if err != nil {
		return p.fail(err)
	}
	steps, err := p.compare(st)
	if err != nil {
		return err
	}
	for _, s := range steps {
		switch {
		case s.InKernel:
			err = p.endInKernel(ctx, s.Operation)
		case s.Operation.Op == catalog.OpCreate:
			err = p.forget(s.Operation)
		}
		if err != nil {
			return p.fail(err)
		}
	}
	return nil
}

// compare gives what is to be done about the operations of dead commands.
func (p *pool) compare(st thinpool.Status) ([]catalog.Step, error) {
	if st.Failed() {
		return nil, p.inState(st)
	}
	steps, err := p.cat.Pool().Recovery(st.TransactionID)
	return steps, p.differs(err)
}

// differs is the error of a catalog that does not fit the pool, or itself.
func (p *pool) differs(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Object: "pool " + p.name(), Err: wrap(ErrPoolState, err),
		Hint: "thin-snap pool check " + p.name() + " shows what differs, and with --repair mends it; nothing was changed"}
}

// endInKernel ends the operation that was at the kernel. The id of a create is
// deleted only if that create has made it: one that the catalog did not know was
// there before, and somebody's, where the create died at the kernel's "exists".
func (p *pool) endInKernel(ctx context.Context, op catalog.Operation) error {
	if err := p.cat.CheckID(op); err != nil {
		return p.differs(err)
	}
	if op.Op == catalog.OpDelete {
		return p.deleteID(ctx, op)
	}
	devices, err := p.devices()
	if err != nil {
		return err
	}
	if d, ok := devices[thinpool.ID(op.ID)]; ok && d.TransactionID != op.TransactionID {
		p.sys.warn("pool %s: thin id %d is in use but has no name", p.name(), op.ID)
		if err := p.cat.RemoveVolume(op.Volume); err != nil {
			return err
		}
		return p.cat.SetPool(func(c *catalog.Pool) { c.Finish(op.Volume) })
	}
	return p.deleteID(ctx, op)
}

// devices reads what the active pool's metadata says of all thin ids.
func (p *pool) devices() (map[thinpool.ID]thinpool.Details, error) {
	f, err := openDirect(p.dm.NodePath(partName(p.name(), partMeta)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return thinpool.ReadDevices(f, 0)
}

// forget undoes the intent of a create that the kernel never saw.
func (p *pool) forget(op catalog.Operation) error {
	if err := p.cat.RemoveVolume(op.Volume); err != nil {
		return err
	}
	return p.cat.SetPool(func(c *catalog.Pool) { c.Abandon(op.Volume) })
}

// deleteID deletes op's thin id and name, for a delete and for the undoing of
// a create alike, under the transaction id that op has taken already.
func (p *pool) deleteID(ctx context.Context, op catalog.Operation) error {
	if err := p.removeVolumeDevice(ctx, op.Volume, op.ID); err != nil {
		return err
	}
	if err := p.sendDelete(ctx, thinpool.ID(op.ID)); err != nil {
		return err
	}
	if err := p.thin.Confirm(); err != nil {
		return err
	}
	if err := p.cat.RemoveVolume(op.Volume); err != nil {
		return err
	}
	return p.cat.SetPool(func(c *catalog.Pool) { c.Finish(op.Volume) })
}

// sendDelete deletes a thin id; gone already is no error. A device that the
// kernel removes by itself is out of sight some time before it lets go of its
// id (drivers/md/dm.c, __dm_destroy), and the pool says EBUSY until then.
func (p *pool) sendDelete(ctx context.Context, id thinpool.ID) error {
	for {
		err := p.thin.Delete(id)
		if errors.Is(err, thinpool.ErrNoSuchID) {
			return nil
		}
		if !errors.Is(err, thinpool.ErrIDInUse) {
			return err
		}
		select {
		case <-ctx.Done():
			return wrap(ErrBusy, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// finishLeft goes on with formats and deletes whose command has died, which
// shows in the volume's lock being free. One that cannot be ended now keeps
// nobody from the pool: its mkfs may still be running, or the catalog gives its
// id to another volume, too.
func (p *pool) finishLeft(ctx context.Context) error {
	for _, op := range p.cat.Pool().Operations {
		ref, err := p.sys.refs().TryLock(p.name(), op.Volume)
		if err != nil {
			continue
		}
		p.sys.step("finishing the %s of %s/%s", op.Op, p.name(), op.Volume)
		err = p.finish(ctx, op)
		if err == nil {
			err = ref.Clear()
		}
		p.sys.letGo(ref, p.name(), op.Volume)
		if errors.Is(err, ErrBusy) || errors.As(err, new(*catalog.CorruptError)) {
			p.sys.warn("%v: the %s of %s/%s, which was interrupted, has to wait", err, op.Op, p.name(), op.Volume)
			continue
		}
		if err != nil {
			return p.fail(err)
		}
	}
	return nil
}

// finishOwn is finishLeft for the volume whose lock the caller has: that lock
// keeps finishLeft away, and says that whoever has begun the operation is dead.
func (p *pool) finishOwn(ctx context.Context, volume string) error {
	ops := p.cat.Pool().Operations
	i := slices.IndexFunc(ops, func(op catalog.Operation) bool { return op.Volume == volume })
	if i < 0 {
		return nil
	}
	if _, err := p.canWrite(); err != nil {
		return err
	}
	p.sys.step("finishing the %s of %s/%s", ops[i].Op, p.name(), volume)
	return p.fail(stillAtWork(ops[i], p.explain(p.finish(ctx, ops[i]))))
}

// stillAtWork says of a device that is busy whose it is: its mkfs, say, is still
// running.
func stillAtWork(op catalog.Operation, err error) error {
	if !errors.Is(err, ErrBusy) {
		return err
	}
	return &Error{Err: reason(ErrBusy, "an interrupted %s of that name is still at work: %w", op.Op, err), Hint: Hint(err)}
}

// clearName removes the device that a dead command has left of the name of a new
// volume, and waits for those who look at it in passing, which finishOwn, with
// the pool's lock, does not. The caller has the volume's lock alone.
func (s *System) clearName(ctx context.Context, c *dm.Control, pool, volume string) error {
	cat, err := s.openCatalog(pool)
	if err != nil {
		return err
	}
	for _, op := range cat.Pool().Operations {
		if op.Volume == volume {
			v := catalog.Volume{Name: volume, Pool: pool, PoolUUID: cat.Pool().UUID, ID: op.ID}
			return stillAtWork(op, s.removeDevice(ctx, c, v))
		}
	}
	return nil
}

// finish deletes the volume of a left operation, unless somebody has its device
// open: the pool's lock is held, and nobody is waited for.
func (p *pool) finish(ctx context.Context, op catalog.Operation) error {
	if err := p.cat.CheckID(op); err != nil {
		return p.differs(err)
	}
	if info, err := p.dm.Info(volumeRef(p.uuid(), op.ID)); err == nil && info.OpenCount > 0 {
		return p.sys.deviceBusy(p.dm, p.name()+"/"+op.Volume, info, deviceHolders(ctx, info.Dev, ""))
	}
	if op.Op == catalog.OpDelete && p.wantsDiscard(DeleteOptions{}) {
		if err := p.discardLeft(ctx, op.Volume); err != nil {
			p.sys.warn("%s/%s: deleted without giving all of its space back to what is below the pool: %v", p.name(), op.Volume, err)
		}
	}
	return p.deleteVolume(ctx, op)
}

// discardLeft discards what it comes to of a volume that another command was to
// delete: this one, which has work of its own and the pool alone, is not to run
// out of time for it. Deleting gives the rest back to the pool.
func (p *pool) discardLeft(ctx context.Context, volume string) error {
	v, err := p.cat.VolumeAnyState(volume)
	if errors.Is(err, catalog.ErrNoVolume) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, othersWait)
	defer cancel()
	return p.discard(ctx, v)
}

// deleteVolume is the second half of a delete: the message, and the end of the
// operation.
func (p *pool) deleteVolume(ctx context.Context, op catalog.Operation) error {
	if err := p.removeVolumeDevice(ctx, op.Volume, op.ID); err != nil {
		return err
	}
	op.Op = catalog.OpDelete
	op, err := p.begin(op)
	if err != nil {
		return errors.Join(err, p.settle(ctx))
	}
	return p.deleteID(ctx, op)
}
