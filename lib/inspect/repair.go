package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// repair carries out the findings in this order:
//
//  1. The records of volumes. They come first because commands refuse a pool
//     whose transaction id does not fit. So no command changes the pool before
//     every thin id has a name.
//  2. The transaction id.
//  3. What every command repairs before its own work (repairDevices).
//  4. Files.
//
// If a repair of a record fails, repair stops after step 1, since the later
// steps rely on the records. After step 1 a failed repair does not stop the
// others.
func repair(ctx context.Context, p *engine.Pool, found []check.Finding) error {
	var errs []error
	for _, d := range found {
		errs = append(errs, repairRecord(p, d))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, d := range found {
		switch {
		case d.Kind == check.KindTransaction:
			errs = append(errs, adoptTransactionID(p, d))
		case d.Forget:
			errs = append(errs, forgetOperation(p, d))
		}
	}
	errs = append(errs, repairDevices(ctx, p, found))
	for _, d := range found {
		errs = append(errs, repairFile(ctx, p, d))
	}
	return errors.Join(errs...)
}

// repairRecord repairs the record of one volume, under the volume's lock. It
// changes only the catalog, and nothing in the kernel. So no data is lost when
// a record is removed, or when a thin id gets a name.
func repairRecord(p *engine.Pool, d check.Finding) error {
	var change func() error
	switch d.Kind {
	case check.KindMissing, check.KindDuplicate, check.KindReused:
		change = func() error { return p.Catalog.RemoveVolume(d.Volume) }
	case check.KindSize:
		change = func() error {
			v, err := p.Catalog.VolumeAnyState(d.Volume)
			if err != nil {
				return err
			}
			v.Size = d.Size
			return p.Catalog.PutVolume(v)
		}
	case check.KindOrphan:
		change = func() error { return giveName(p, d) }
	default:
		return nil
	}
	ref, err := p.Sys.Refs().TryLock(p.Name(), d.Volume)
	if err != nil {
		// Another command works on the volume. The next check finds this again.
		return nil
	}
	p.Sys.Stepf("%s: %s", d.Object, d.Repair)
	if err = change(); err == nil && d.Kind != check.KindSize && d.Kind != check.KindOrphan &&
		ref.Record().ThinID == d.ID {
		err = ref.Clear()
	}
	registry.Unlock(p.Sys, ref, p.Name(), d.Volume)
	return p.Wrap(err)
}

// giveName gives a name to a thin id without one. It raises the catalog's next
// id above the thin id first, so that no later create takes the same id.
func giveName(p *engine.Pool, d check.Finding) error {
	if _, err := p.Catalog.VolumeAnyState(d.Volume); !errors.Is(err, catalog.ErrNoVolume) {
		return fmt.Errorf("%s/%s: has a record by now", p.Name(), d.Volume)
	}
	if d.ID >= p.Catalog.Pool().NextID {
		if err := p.Catalog.SetPool(func(c *catalog.Pool) { c.NextID = d.ID + 1 }); err != nil {
			return err
		}
	}
	return p.Catalog.PutVolume(catalog.Volume{
		Name: d.Volume, ID: d.ID, Size: d.Size, TransactionID: d.Transaction,
		Created: time.Now().UTC().Truncate(time.Second),
	})
}

// adoptTransactionID writes the pool's transaction id to the catalog. It drops
// all intents: those operations were done or undone before the pool reached
// this transaction id.
func adoptTransactionID(p *engine.Pool, d check.Finding) error {
	p.Sys.Stepf("%s: %s", d.Object, d.Repair)
	return p.Wrap(p.Catalog.SetPool(func(c *catalog.Pool) {
		c.TransactionID, c.Intents = d.Transaction, nil
	}))
}

// forgetOperation drops an intent whose recovery would take the thin id of
// another volume. If the pool has reached the intent's transaction id, the
// catalog takes that id.
func forgetOperation(p *engine.Pool, d check.Finding) error {
	return p.Wrap(p.Catalog.SetPool(func(c *catalog.Pool) {
		if c.TransactionID < d.Transaction {
			c.FinishIntent(d.Volume)
			return
		}
		c.DropIntent(d.Volume)
	}))
}

// repairDevices repairs the findings that every command repairs before its own
// work: killed commands, and devices, nodes and aliases that no volume uses. It
// also resumes the pool's own devices and releases a held metadata snapshot.
func repairDevices(ctx context.Context, p *engine.Pool, found []check.Finding) error {
	if err := p.RefuseCopy(); err != nil {
		return err
	}
	has := func(kinds ...string) bool {
		return slices.ContainsFunc(found,
			func(d check.Finding) bool { return slices.Contains(kinds, d.Kind) })
	}
	if has(check.KindInterrupted, check.KindHeld) {
		if err := p.Activate(ctx); err != nil {
			return err
		}
	}
	if has(check.KindHeld) {
		if err := p.Target.ReleaseSnapshot(); err != nil {
			return p.Wrap(err)
		}
	}
	if has(check.KindSuspended) {
		if err := resumeParts(p); err != nil {
			return p.Wrap(err)
		}
	}
	switch {
	case !has(check.KindInterrupted, check.KindDevice, check.KindSuspended, check.KindNode,
		check.KindAlias):
		return nil
	case p.IsActive() && has(check.KindInterrupted):
		return p.Recover(ctx)
	}
	err := p.RemoveUnused(ctx)
	part := func(d check.Finding) bool { return d.Kind == check.KindDevice && d.Volume == "" }
	if err == nil && slices.ContainsFunc(found, part) {
		err = p.Wrap(p.Dismantle(ctx))
	}
	return err
}

// resumeParts resumes the pool's own devices, the lowest first.
func resumeParts(p *engine.Pool) error {
	for _, part := range []string{dmname.Data, dmname.Meta, dmname.Pool} {
		info, err := p.DM.Info(p.Ref(part))
		if err == nil && info.Active() && info.Suspended() {
			if _, err := p.DM.Resume(p.Ref(part), host.HiddenCookie); err != nil {
				return err
			}
		}
	}
	return nil
}

// repairFile repairs one finding about a file under RunDir, a line in utab, or
// a temp file.
func repairFile(ctx context.Context, p *engine.Pool, d check.Finding) error {
	switch d.Kind {
	case check.KindTemp, check.KindRecord, check.KindLock:
	case check.KindUtab:
		if d.Lines {
			return p.Wrap(writeLines(ctx, p, d.Volume))
		}
		return p.Wrap(dropUtab(ctx, p, d.Object))
	default:
		return nil
	}
	if d.Volume == "" {
		return p.Wrap(p.Catalog.RemoveTemp(d.Temp))
	}
	ref, err := p.Sys.Refs().TryLock(p.Name(), d.Volume)
	if err != nil {
		return nil // another command works on the volume
	}
	defer registry.Unlock(p.Sys, ref, p.Name(), d.Volume)
	switch {
	case d.Kind == check.KindTemp && d.Temp.Path != "":
		err = p.Catalog.RemoveTemp(d.Temp)
	case d.Kind == check.KindTemp:
		err = ref.DropTemp(d.Entry)
	case d.Kind == check.KindRecord && d.Entry.Path != "":
		err = ref.Clear()
	case d.Kind == check.KindRecord:
		err = reconcile(p, ref, d.Volume)
	}
	return p.Wrap(err)
}

// reconcile makes the record of a volume's references agree with its mounts.
func reconcile(p *engine.Pool, ref *refcount.Ref, volume string) error {
	v, err := p.Catalog.VolumeAnyState(volume)
	if err != nil {
		return err
	}
	rec, err := registry.Reconcile(p.Sys, p.DM, ref, v)
	if err != nil || rec.References == 0 || rec.Device != "" {
		return err
	}
	obs, _, err := registry.QueryKernel(p.DM, v, rec)
	if err != nil {
		return err
	}
	dev, err := dm.ParseDevNo(obs.Dev)
	if err != nil {
		return err
	}
	registry.FillRecord(&rec, v, p.DM.NodePath(dmname.Volume(v.Pool, v.Name)), dev)
	return ref.Save(rec)
}

// writeLines adds the lines in utab that the mount of a volume lacks.
func writeLines(ctx context.Context, p *engine.Pool, volume string) error {
	ref, err := p.Sys.Refs().TryLock(p.Name(), volume)
	if err != nil {
		return nil // another command works on the volume
	}
	defer registry.Unlock(p.Sys, ref, p.Name(), volume)
	v, err := p.Catalog.VolumeAnyState(volume)
	if err != nil {
		return err
	}
	rec, err := registry.Reconcile(p.Sys, p.DM, ref, v)
	if err != nil || rec.Elsewhere {
		return err
	}
	table, err := mount.Table()
	if err != nil {
		return err
	}
	at := registry.Counted(table, rec)
	if at == nil {
		return nil
	}
	return p.Sys.Utab().Mend(ctx, registry.UtabEntry(at, rec.Volume), 0,
		registry.LookUtab(p.Sys, p.DM))
}

// dropUtab removes the stale lines in utab of the pool's volumes at a mount
// path.
func dropUtab(ctx context.Context, p *engine.Pool, target string) error {
	return p.Sys.Utab().DropStale(ctx, registry.LookUtab(p.Sys, p.DM),
		func(l mount.StaleLine) bool {
			pool, _, ok := registry.NamedBy(p.Sys, l.Source)
			return l.Target == target && ok && pool == p.Name()
		})
}
