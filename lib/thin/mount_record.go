package thin

import (
	"context"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
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
	if !slices.Contains(m.mounts(table, a), top) {
		return &Error{Object: m.dir, Err: mount.ErrMoved, Hint: "nobody but root should be able to write in the folders above a mount point"}
	}
	if err := m.makeAlias(v.Pool, v.Name, a.path); err != nil {
		m.warn("%s/%s: alias: %v", v.Pool, v.Name, err)
	}
	if m.dir == subdirTarget {
		return nil
	}
	fillRecord(&rec, v, a.path, a.dev)
	rec.MountedOn, rec.MountID, rec.References, rec.Namespace = top.Mountpoint, top.ID, 1, mount.Namespace()
	if err := ref.Save(rec); err != nil {
		return &Error{Object: rec.Volume, Err: err}
	}
	if m.request.NoMtab {
		return nil
	}
	if err := m.utab().Add(ctx, m.utabEntry(top), m.lookUtab(m.c)); err != nil {
		m.warn("%s: utab: %v; unmount it with: umount.thin %s", rec.Volume, err, shellPath(m.dir))
	}
	return nil
}

// mounts are those of the volume's device.
func (m *mounting) mounts(table []*mountinfo.Info, a *activation) []*mountinfo.Info {
	return mount.ByDev(table, int(a.dev.Major), int(a.dev.Minor), a.path)
}

// unmount takes back the mount that could not be written down, wherever its
// directory has been moved; what lies on top of it is not ours to unmount.
func (m *mounting) unmount(a *activation) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	for _, found := range m.mounts(table, a) {
		if mount.Top(table, found.Mountpoint) == found {
			return mount.Unmount(found.Mountpoint, mount.UnmountOptions{NoFollow: true})
		}
	}
	return nil
}

func (m *mounting) utabEntry(top *mountinfo.Info) mount.Entry {
	e := utabEntry(top, m.request.Spec)
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
