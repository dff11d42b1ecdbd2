package mounting

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// addReference counts one more mount on the one path, unless that path is to be
// one reference however often it is mounted.
func (m *mounting) addReference(ctx context.Context, ref *refcount.Ref, rec refcount.Record) error {
	if rec.MountedOn != m.dir {
		return m.otherPath(rec.Volume, rec.MountedOn)
	}
	m.mendLines(ctx, rec)
	if m.line > 0 {
		return m.mountedByLine(rec)
	}
	if err := m.checkOptions(rec); err != nil {
		return err
	}
	if m.options.Once {
		m.Stepf("%s is mounted on %s already", rec.Volume, m.dir)
		return nil
	}
	m.Stepf("%s is mounted on %s: now %s", rec.Volume, rec.MountedOn, fault.Count(rec.References+1, "reference"))
	return ref.Add()
}

// otherPath refuses a mount of a volume that is mounted on the path on.
func (m *mounting) otherPath(volume, on string) error {
	return &fault.Error{Object: volume, Err: fault.Errorf(fault.ErrBusy, "already mounted on %s, and a volume has one mount path", on),
		Remedy: fault.Sayf("use %s, or a snapshot: %v", fault.ShellPath(on), fault.Snapshot{Volume: volume})}
}

// mendLines mends the lines in utab of the counted mount.
func (m *mounting) mendLines(ctx context.Context, rec refcount.Record) {
	if m.request.NoMtab {
		return
	}
	table, err := m.table()
	if err != nil {
		m.Warnf("%v", err)
		return
	}
	if at := registry.Counted(table, rec); at != nil {
		registry.MendUtab(ctx, m.System, m.c, m.utabEntry(at), 0)
	}
}

// answerForCopy answers a mount of a volume whose counted mount is in another mount
// namespace, or whose device is open and not mounted here. Where dir has a copy of
// the mount, that is what was asked for, and nothing is counted: the copy does not
// end with the counted mount, and a reference would outlive the copy's namespace.
func (m *mounting) answerForCopy(rec refcount.Record, v catalog.Volume) (done bool, err error) {
	copies, err := m.copies(rec, v)
	if err != nil {
		return false, err
	}
	for _, at := range copies {
		if at.Mountpoint != m.dir {
			continue
		}
		if m.options.Remount {
			rec.MountedOn, rec.MountID = at.Mountpoint, at.ID
			return true, m.remount(rec, v)
		}
		m.Stepf("%s is mounted on %s already: a copy of its mount in another mount namespace; no reference is counted", rec.Volume, m.dir)
		return true, nil
	}
	if m.options.Remount {
		rec.References = 0
		return true, m.remount(rec, v)
	}
	if len(copies) > 0 {
		return false, m.otherPath(rec.Volume, copies[0].Mountpoint)
	}
	return false, registry.RefuseElsewhere(m.System, m.c, rec, v)
}

// copies are the mounts that are seen here of a volume whose counted mount is not.
func (m *mounting) copies(rec refcount.Record, v catalog.Volume) (seen []*mountinfo.Info, err error) {
	if rec.References == 0 {
		return nil, nil
	}
	table, err := m.table()
	if err != nil {
		return nil, err
	}
	dev, err := dm.ParseDevNo(rec.Dev)
	if err != nil {
		return nil, err
	}
	for _, at := range mount.ByDev(table, int(dev.Major), int(dev.Minor), m.c.NodePath(dmname.Volume(v.Pool, v.Name))) {
		if mount.Top(table, at.Mountpoint) == at {
			seen = append(seen, at)
		}
	}
	return seen, nil
}
