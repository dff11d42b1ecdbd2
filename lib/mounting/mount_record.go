package mounting

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// makeAlias makes the alias, without which a mount is as good.
func (m *mounting) makeAlias(v catalog.Volume, a *engine.Activation) {
	if err := registry.MakeAlias(m.System, v.Pool, v.Name, a.Path); err != nil {
		m.Warnf("%s/%s: alias: %v", v.Pool, v.Name, err)
	}
}

// saveRecord writes down the first reference, to the mount top.
func (m *mounting) saveRecord(ref *refcount.Ref, rec refcount.Record, v catalog.Volume, a *engine.Activation, top *mountinfo.Info) error {
	if m.dir == subdirTarget {
		return nil
	}
	registry.FillRecord(&rec, v, a.Path, a.Dev)
	rec.MountedOn, rec.MountID, rec.References, rec.Namespace = top.Mountpoint, top.ID, 1, mount.Namespace()
	if err := ref.Save(rec); err != nil {
		return &fault.Error{Object: rec.Volume, Err: err}
	}
	return nil
}

// addLines writes the mount's lines in utab, by which umount(8) finds umount.thin.
func (m *mounting) addLines(ctx context.Context, v catalog.Volume, top *mountinfo.Info) {
	if m.request.NoMtab {
		return
	}
	if err := m.Utab().Add(ctx, m.utabEntry(top), registry.LookUtab(m.System, m.c)); err != nil {
		m.Warnf("%s/%s: utab: %v; unmount it with: %v", v.Pool, v.Name, err, fault.UnmountByHelper{Path: m.dir})
	}
}

func (m *mounting) utabEntry(top *mountinfo.Info) mount.Entry {
	e := registry.UtabEntry(top, m.request.Spec)
	if m.options.Netdev {
		e.Options = append(e.Options, "_netdev")
	}
	return e
}

// rememberFS notes a filesystem that was made by hand, for list and show. The
// volume's lock keeps others from its record, the pool's from tidying up beside
// us.
func (m *mounting) rememberFS(ctx context.Context, v catalog.Volume, fstype string) {
	lock, err := m.Refs().PoolLock(ctx, v.Pool, true)
	if err == nil {
		defer lock.Unlock()
		var cat *catalog.Catalog
		if cat, err = registry.OpenCatalog(m.System, v.Pool); err == nil {
			v.FS = fstype
			err = cat.PutVolume(v)
		}
	}
	if err != nil {
		m.Warnf("%s/%s: the filesystem's type was not noted: %v", v.Pool, v.Name, err)
	}
}
