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

// makeAlias makes the volume's alias. If that fails it warns: the mount works
// without an alias.
func (m *mounting) makeAlias(v catalog.Volume, a *engine.Activation) {
	if err := registry.MakeAlias(m.System, v.Spec(), a.Path); err != nil {
		m.Warnf("%s: alias: %v", v.Spec(), err)
	}
}

// saveRecord writes the record with one reference, to the mount top. It writes
// none for a mount on subdirTarget.
func (m *mounting) saveRecord(
	ref *refcount.Ref, rec refcount.Record, v catalog.Volume, a *engine.Activation,
	top *mountinfo.Info,
) error {
	if m.dir == subdirTarget {
		return nil
	}
	registry.FillRecord(&rec, v, a.Path, a.Dev)
	rec.MountedOn, rec.MountID, rec.References, rec.Namespace = top.Mountpoint, top.ID, 1,
		mount.Namespace()
	if err := ref.Save(rec); err != nil {
		return &fault.Error{Object: rec.Volume.String(), Err: err}
	}
	return nil
}

// addLines writes the mount's lines into utab. From them umount(8) knows that
// it has to call umount.thin. A failure is a warning.
func (m *mounting) addLines(ctx context.Context, v catalog.Volume, top *mountinfo.Info) {
	if m.request.NoMtab {
		return
	}
	look := registry.OneMount(m.System, top.Source, top.Mountpoint)(
		registry.LookUtabIn(m.mounts.Now, m.System, m.c))
	if err := m.Utab().Add(ctx, m.utabEntry(top), look); err != nil {
		m.Warnf("%s: utab: %v; unmount it with: %v", v.Spec(), err,
			fault.UnmountByHelper{Path: m.dir})
	}
}

func (m *mounting) utabEntry(top *mountinfo.Info) mount.Entry {
	e := registry.UtabEntry(top, m.request.Spec)
	if m.options.Netdev {
		e.Options = append(e.Options, "_netdev")
	}
	return e
}

// rememberFS notes the filesystem's type in the volume's record for list and
// show, if a user made the filesystem by hand. A failure is a warning. The
// caller holds the volume's lock, so no other command writes the record.
// rememberFS takes the pool's lock shared, so that no other command removes our
// temp file.
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
		m.Warnf("%s: the filesystem's type was not noted: %v", v.Spec(), err)
	}
}
