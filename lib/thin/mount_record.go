package thin

import (
	"context"
	"errors"

	"github.com/moby/sys/mountinfo"

	"thinmount/lib/catalog"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// record writes the reference and libmount's utab, by which umount(8) finds
// umount.thin.
func (m *mounting) record(ctx context.Context, ref *refcount.Ref, rec refcount.Record, v catalog.Volume, a *activation) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	top := mount.Top(table, m.dir)
	if top == nil {
		return &Error{Object: m.dir, Err: errors.New("mounted, yet not in the mount table")}
	}
	if err := m.makeAlias(v.Pool, v.Name, a.path); err != nil {
		m.warn("%s/%s: alias: %v", v.Pool, v.Name, err)
	}
	if m.dir == subdirTarget {
		return nil
	}
	fillRecord(&rec, v, a.path, a.dev)
	rec.MountedOn, rec.MountID, rec.References = top.Mountpoint, top.ID, 1
	if err := ref.Save(rec); err != nil {
		return &Error{Object: rec.Volume, Err: err}
	}
	if m.request.NoMtab {
		return nil
	}
	if err := m.utab().Add(ctx, m.utabEntry(top), mount.LiveIn(table, top.ID)); err != nil {
		m.warn("%s: utab: %v; unmount it with: umount.thin %s", rec.Volume, err, m.dir)
	}
	return nil
}

func (m *mounting) utabEntry(top *mountinfo.Info) mount.Entry {
	e := mount.Entry{ID: top.ID, Source: top.Source, Target: top.Mountpoint, Root: top.Root, Spec: m.request.Spec}
	if m.options.Netdev {
		e.Options = append(e.Options, "_netdev")
	}
	return e
}

// rememberFS notes a filesystem that was made by hand, for list and show. The
// volume's lock keeps others from its record, the pool's from tidying up beside
// us.
func (m *mounting) rememberFS(ctx context.Context, v catalog.Volume, fstype string) {
	lock, err := m.refs().PoolLock(ctx, v.Pool, true)
	if err == nil {
		defer lock.Unlock()
		var cat *catalog.Catalog
		if cat, err = m.openCatalog(v.Pool); err == nil {
			v.FS = fstype
			err = cat.PutVolume(v)
		}
	}
	if err != nil {
		m.warn("%s/%s: the filesystem's type was not noted: %v", v.Pool, v.Name, err)
	}
}
