package inspect

import (
	"context"
	"errors"
	"fmt"
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

// removeRecord removes the record of a volume, and its record of references if
// that is about the same thin id.
func removeRecord(p *engine.Pool, ref *refcount.Ref, d check.RemoveRecord) error {
	if err := p.Catalog.RemoveVolume(d.Volume); err != nil || ref.Record().ThinID != d.ID {
		return err
	}
	return ref.Clear()
}

// setSize writes the size of a volume to its record.
func setSize(p *engine.Pool, d check.SetSize) error {
	v, err := p.Catalog.VolumeAnyState(d.Volume)
	if err != nil {
		return err
	}
	v.Size = d.Size
	return p.Catalog.PutVolume(v)
}

// nameID gives a name to a thin id without one. It raises the catalog's next
// id above the thin id first, so that no later create takes the same id.
func nameID(p *engine.Pool, d check.NameID) error {
	if _, err := p.Catalog.VolumeAnyState(d.Volume.Name); !errors.Is(err, catalog.ErrNoVolume) {
		return fmt.Errorf("%s: has a record by now", d.Volume)
	}
	if d.ID >= p.Catalog.Pool().NextID {
		if err := p.Catalog.SetPool(func(c *catalog.Pool) { c.NextID = d.ID + 1 }); err != nil {
			return err
		}
	}
	return p.Catalog.PutVolume(catalog.Volume{
		Name: d.Volume.Name, ID: d.ID, Size: d.Size, TransactionID: d.TransactionID,
		Created: time.Now().UTC().Truncate(time.Second),
	})
}

// takeOver writes the pool's transaction id to the catalog. It drops all
// intents: those operations were done or undone before the pool reached this
// transaction id.
func takeOver(p *engine.Pool, d check.TakeOver) error {
	return p.Catalog.SetPool(func(c *catalog.Pool) {
		c.TransactionID, c.Intents = d.TransactionID, nil
	})
}

// forgetIntent drops an intent whose recovery would take the thin id of another
// volume. If the pool has reached the intent's transaction id, the catalog
// takes that id.
func forgetIntent(p *engine.Pool, d check.ForgetIntent) error {
	return p.Catalog.SetPool(func(c *catalog.Pool) {
		if c.TransactionID < d.TransactionID {
			c.FinishIntent(d.Volume)
			return
		}
		c.DropIntent(d.Volume)
	})
}

// releaseSnapshot releases the snapshot of the metadata. It activates the pool.
func releaseSnapshot(ctx context.Context, p *engine.Pool) error {
	if err := p.Activate(ctx); err != nil {
		return err
	}
	return p.Target.ReleaseSnapshot()
}

// recoverIntents finishes or undoes what dead commands left, as every command
// does before its own work. It activates the pool.
func recoverIntents(ctx context.Context, p *engine.Pool) error {
	if err := p.Activate(ctx); err != nil {
		return err
	}
	return p.Recover(ctx)
}

// dismantle removes what is left of the devices of an inactive pool.
func dismantle(ctx context.Context, p *engine.Pool) error {
	if err := p.RemoveUnused(ctx); err != nil || p.IsActive() {
		return err
	}
	return p.Dismantle(ctx)
}

// resumeParts resumes the pool's own devices, the lowest first.
func resumeParts(_ context.Context, p *engine.Pool) error {
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

// removeEntry removes a file of a volume under RunDir. Releasing the volume's
// lock removes its lock file.
func removeEntry(ref *refcount.Ref, e refcount.Entry) error {
	switch e.Kind {
	case refcount.KindTemp:
		return ref.DropTemp(e)
	case refcount.KindRecord:
		return ref.Clear()
	}
	return nil
}

// correctRecord makes the record of a volume's references agree with its
// mounts.
func correctRecord(p *engine.Pool, ref *refcount.Ref, volume string) error {
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
	registry.FillRecord(&rec, v, p.DM.NodePath(dmname.Volume(v.Spec())), dev)
	return ref.Save(rec)
}

// writeLines adds the lines in utab that the mount of a volume lacks.
func writeLines(ctx context.Context, p *engine.Pool, ref *refcount.Ref, volume string) error {
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
	return p.Sys.Utab().Mend(ctx, registry.UtabEntry(at, rec.Volume.String()), 0,
		registry.LookUtab(p.Sys, p.DM))
}

// dropUtab removes the stale lines in utab of the pool's volumes at a mount
// path.
func dropUtab(ctx context.Context, p *engine.Pool, target string) error {
	return p.Sys.Utab().DropStale(ctx, registry.LookUtab(p.Sys, p.DM),
		func(l mount.StaleLine) bool {
			volume, ok := registry.NamedBy(p.Sys, l.Source)
			return l.Target == target && ok && volume.Pool == p.Name()
		})
}
