package thin

import (
	"context"
	"errors"
	"fmt"

	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// repair does what the findings say: first the records, so that a pool whose
// transaction id does not fit stays refused until all has its name; then the
// transaction id; then what every command mends in passing; then files. A
// repair that fails does not keep the others from being done, but for the
// pool's own: those build on the records.
func (p *pool) repair(ctx context.Context, found []Finding) error {
	var errs []error
	for _, d := range found {
		errs = append(errs, p.repairRecord(d))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, d := range found {
		switch {
		case d.Kind == KindTransaction:
			errs = append(errs, p.adopt(d))
		case d.forget:
			errs = append(errs, p.forgetOperation(d))
		}
	}
	errs = append(errs, p.repairDevices(ctx, found))
	for _, d := range found {
		errs = append(errs, p.repairFile(ctx, d))
	}
	return errors.Join(errs...)
}

// repairRecord sees to the record of a volume, under its lock. Nothing is told
// to the kernel: no data is lost with a record, nor with a name given.
func (p *pool) repairRecord(d Finding) error {
	var change func() error
	switch d.Kind {
	case KindMissing, KindTwin, KindOther:
		change = func() error { return p.cat.RemoveVolume(d.volume) }
	case KindSize:
		change = func() error {
			v, err := p.cat.VolumeAnyState(d.volume)
			if err != nil {
				return err
			}
			v.Size = d.size
			return p.cat.PutVolume(v)
		}
	case KindOrphan:
		change = func() error { return p.giveName(d) }
	default:
		return nil
	}
	ref, err := p.sys.refs().TryLock(p.name(), d.volume)
	if err != nil {
		return nil // somebody is at work on it: it is found again
	}
	p.sys.step("%s: %s", d.Object, d.Repair)
	if err = change(); err == nil && d.Kind != KindSize && d.Kind != KindOrphan && ref.Record().ThinID == d.id {
		err = ref.Clear()
	}
	p.sys.letGo(ref, p.name(), d.volume)
	return p.fail(err)
}

// giveName gives a thin id a name. The next id goes past it first, so that no create
// runs into it.
func (p *pool) giveName(d Finding) error {
	if _, err := p.cat.VolumeAnyState(d.volume); !errors.Is(err, catalog.ErrNoVolume) {
		return fmt.Errorf("%s/%s: has a record by now", p.name(), d.volume)
	}
	if d.id >= p.cat.Pool().NextID {
		if err := p.cat.SetPool(func(c *catalog.Pool) { c.NextID = d.id + 1 }); err != nil {
			return err
		}
	}
	return p.cat.PutVolume(catalog.Volume{
		Name: d.volume, ID: d.id, Size: d.size, TransactionID: d.transaction, Created: time.Now().UTC().Truncate(time.Second),
	})
}

// adopt takes the pool's transaction id over. What the catalog says is being
// done was long done, or undone, when the pool got there.
func (p *pool) adopt(d Finding) error {
	p.sys.step("%s: %s", d.Object, d.Repair)
	return p.fail(p.cat.SetPool(func(c *catalog.Pool) { c.TransactionID, c.Operations = d.transaction, nil }))
}

// forgetOperation drops an operation that would take another volume's id. If
// the pool has gone on to its transaction id, so does the catalog.
func (p *pool) forgetOperation(d Finding) error {
	return p.fail(p.cat.SetPool(func(c *catalog.Pool) {
		if c.TransactionID < d.transaction {
			c.Finish(d.volume)
			return
		}
		c.Abandon(d.volume)
	}))
}

// repairDevices does what every command does in passing.
func (p *pool) repairDevices(ctx context.Context, found []Finding) error {
	if err := p.refuseCopy(); err != nil {
		return err
	}
	has := func(kinds ...string) bool {
		return slices.ContainsFunc(found, func(d Finding) bool { return slices.Contains(kinds, d.Kind) })
	}
	if has(KindInterrupted, KindHeld) {
		if err := p.activate(ctx); err != nil {
			return err
		}
	}
	if has(KindHeld) {
		if err := p.thin.ReleaseSnapshot(); err != nil {
			return p.fail(err)
		}
	}
	if has(KindSuspended) {
		if err := p.resumeParts(); err != nil {
			return p.fail(err)
		}
	}
	switch {
	case !has(KindInterrupted, KindDevice, KindSuspended, KindNode, KindAlias):
		return nil
	case p.isActive() && has(KindInterrupted):
		return p.recover(ctx)
	}
	err := p.sweep(ctx)
	part := func(d Finding) bool { return d.Kind == KindDevice && d.volume == "" }
	if err == nil && slices.ContainsFunc(found, part) {
		err = p.fail(p.dismantle(ctx))
	}
	return err
}

// resumeParts resumes the pool's own devices, from the bottom up.
func (p *pool) resumeParts() error {
	for _, part := range []string{partData, partMeta, partPool} {
		info, err := p.dm.Info(p.ref(part))
		if err == nil && info.Active() && info.Suspended() {
			if _, err := p.dm.Resume(p.ref(part), hiddenCookie); err != nil {
				return err
			}
		}
	}
	return nil
}

// repairFile sees to what is written down under RunDir, in utab, and to temp
// files.
func (p *pool) repairFile(ctx context.Context, d Finding) error {
	switch d.Kind {
	case KindTemp, KindRecord, KindLock:
	case KindUtab:
		if d.lines {
			return p.fail(p.writeLines(ctx, d.volume))
		}
		return p.fail(p.dropUtab(ctx, d.Object))
	default:
		return nil
	}
	if d.volume == "" {
		return p.fail(p.cat.RemoveTemp(d.temp))
	}
	ref, err := p.sys.refs().TryLock(p.name(), d.volume)
	if err != nil {
		return nil // somebody is at work on it
	}
	defer p.sys.letGo(ref, p.name(), d.volume)
	switch {
	case d.Kind == KindTemp && d.temp.Path != "":
		err = p.cat.RemoveTemp(d.temp)
	case d.Kind == KindTemp:
		err = ref.DropTemp(d.entry)
	case d.Kind == KindRecord && d.entry.Path != "":
		err = ref.Clear()
	case d.Kind == KindRecord:
		err = p.reconcile(ref, d.volume)
	}
	return p.fail(err)
}

// reconcile makes the record of references say what is mounted.
func (p *pool) reconcile(ref *refcount.Ref, volume string) error {
	v, err := p.cat.VolumeAnyState(volume)
	if err != nil {
		return err
	}
	rec, err := p.sys.observe(p.dm, ref, v)
	if err != nil || rec.References == 0 || rec.Device != "" {
		return err
	}
	obs, _, err := observed(p.dm, v, rec)
	if err != nil {
		return err
	}
	dev, err := dm.ParseDevNo(obs.Dev)
	if err != nil {
		return err
	}
	fillRecord(&rec, v, p.dm.NodePath(volumeName(v.Pool, v.Name)), dev)
	return ref.Save(rec)
}

// writeLines mends the lines in utab of a volume's mount.
func (p *pool) writeLines(ctx context.Context, volume string) error {
	ref, err := p.sys.refs().TryLock(p.name(), volume)
	if err != nil {
		return nil // somebody is at work on it
	}
	defer p.sys.letGo(ref, p.name(), volume)
	v, err := p.cat.VolumeAnyState(volume)
	if err != nil {
		return err
	}
	rec, err := p.sys.observe(p.dm, ref, v)
	if err != nil || rec.Elsewhere {
		return err
	}
	table, err := mount.Table()
	if err != nil {
		return err
	}
	at := counted(table, rec)
	if at == nil {
		return nil
	}
	return p.sys.utab().Mend(ctx, utabEntry(at, rec.Volume), 0, p.sys.lookUtab(p.dm))
}

func (p *pool) dropUtab(ctx context.Context, target string) error {
	return p.sys.utab().DropStale(ctx, p.sys.lookUtab(p.dm), func(l mount.StaleLine) bool {
		pool, _, ok := p.sys.namedBy(l.Source)
		return l.Target == target && ok && pool == p.name()
	})
}
