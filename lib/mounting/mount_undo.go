package mounting

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// made finds the new mount in the mount table. It checks that the mount is on
// the directory that the caller named, and that the table shows the volume's
// device for it. For a btrfs of several devices the kernel shows one of them,
// whichever the caller named. Unmount and list go by the device and would not
// find such a mount.
func (m *mounting) made(v catalog.Volume, a *engine.Activation) (*mountinfo.Info, error) {
	table, err := m.mounts.Now()
	if err != nil {
		return nil, err
	}
	at := table.ByID(m.id)
	if at == nil || at.Mountpoint != m.dir {
		return nil, &fault.Error{Object: m.dir, Err: mount.ErrMoved,
			Remedy: fault.Hint(
				"nobody but root should be able to write in the folders above a mount point")}
	}
	if !mount.IsOf(at, int(a.Dev.Major), int(a.Dev.Minor), a.Path) {
		return nil, &fault.Error{
			Object: v.Spec().String(),
			Err: fault.Errorf(fault.ErrBusy,
				"its filesystem lies on several devices, and the kernel calls it %s",
				mounted(at)),
			Remedy: fault.Hint(
				"mount the volume that the kernel names, with all the others activated"),
		}
	}
	return at, nil
}

// undone detaches the new mount, because it could not be recorded. It returns
// err, with the error of the detaching if there is one.
func (m *mounting) undone(err error) error {
	if undo := mount.Detach(m.id); undo != nil {
		return errors.Join(err, undo)
	}
	return err
}

// cleanUpLocked is cleanUp for a caller that has given the volume's lock back.
// If another command has the lock now, cleanUpLocked does nothing: the kernel
// removes the device at its last close, and the next tidying its names.
func (m *mounting) cleanUpLocked(ctx context.Context, rec refcount.Record, v catalog.Volume) {
	ref, err := m.Refs().TryLock(v.Spec())
	if err != nil {
		return
	}
	defer ref.Close()
	rec.Pinned = ref.Record().Pinned
	m.cleanUp(ctx, rec, v)
}

// cleanUp removes the volume's device and alias after a mount that failed. It
// leaves them if an administrator has activated the volume, or if another
// process uses it. The caller holds the volume's lock.
func (m *mounting) cleanUp(ctx context.Context, rec refcount.Record, v catalog.Volume) {
	if rec.Pinned || rec.Elsewhere {
		return
	}
	undo, cancel := m.Undoing(ctx)
	defer cancel()
	device := dmname.VolumeRef(v.PoolUUID, v.ID)
	err := m.c.RemoveDeferred(device)
	if err == nil {
		err = m.c.WaitGone(undo, device, dmname.Volume(v.Spec()))
	}
	if err != nil {
		m.Warnf("%s: the device stays until its last close: %v", v.Spec(), err)
	}
	registry.DropAlias(m.System, v.Spec())
}
