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
	"thinmount/lib/spec"
)

// addReference counts one more reference to a volume that is mounted on m.dir.
// It counts none for a mount that a line of fstab asks for, or if Options.Once
// is set. If the volume is mounted on another path, the error is ErrBusy. The
// caller holds the volume's lock.
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
	m.Stepf("%s is mounted on %s: now %s", rec.Volume, rec.MountedOn,
		fault.Count(rec.References+1, "reference"))
	return ref.Add()
}

// otherPath returns the ErrBusy of a volume that is mounted on the path on.
func (m *mounting) otherPath(volume spec.Volume, on string) error {
	return &fault.Error{Object: volume.String(),
		Err: fault.Errorf(fault.ErrBusy, "already mounted on %s, and a volume has one mount path",
			on),
		Remedy: fault.Sayf("use %s, or a snapshot: %v", fault.ShellPath(on),
			fault.Snapshot{Volume: volume})}
}

// mendLines writes the lines in utab that the counted mount lacks.
func (m *mounting) mendLines(ctx context.Context, rec refcount.Record) {
	if m.request.NoMtab {
		return
	}
	table, err := m.mounts.Now()
	if err != nil {
		m.Warnf("%v", err)
		return
	}
	if at := registry.Counted(table, rec); at != nil {
		registry.MendUtab(ctx, m.mounts.Now, m.System, m.c, m.utabEntry(at), 0)
	}
}

// answerForCopy handles a volume whose counted mount is in another mount
// namespace, or whose device is open and not mounted here. If dir has a copy of
// the counted mount, the caller has what was asked for, and answerForCopy
// counts no reference: the copy does not end with the counted mount, and a
// reference would outlive the copy's namespace. done says that the request is
// answered.
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
		m.Stepf(
			"%s is mounted on %s already: a copy of its mount in another mount namespace; no "+
				"reference is counted",
			rec.Volume, m.dir)
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

// copies lists the mounts of the volume that this mount namespace has while the
// counted mount is in another one. It leaves out mounts that another mount
// hides.
func (m *mounting) copies(
	rec refcount.Record, v catalog.Volume,
) (seen []*mountinfo.Info, err error) {
	if rec.References == 0 {
		return nil, nil
	}
	table, err := m.mounts.Now()
	if err != nil {
		return nil, err
	}
	dev, err := dm.ParseDevNo(rec.Dev)
	if err != nil {
		return nil, err
	}
	for _, at := range mount.ByDev(table, int(dev.Major), int(dev.Minor),
		m.c.NodePath(dmname.Volume(v.Spec()))) {
		if top := mount.Top(table, at.Mountpoint); top != nil && top.ID == at.ID {
			seen = append(seen, at)
		}
	}
	return seen, nil
}
