package mounting

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// isCopy says whether a mount is a copy of a volume's counted mount, and the
// counted mount is in another mount namespace. It needs no device-mapper, which
// a sandbox may not have. It needs no lock either: a mount in one namespace
// never becomes a mount in another.
func (u *unmounting) isCopy(volume spec.Volume, top *mountinfo.Info) bool {
	rec, err := u.Refs().Read(volume)
	if err != nil || rec.References == 0 {
		return false
	}
	ours := mount.Namespace()
	return rec.Namespace != 0 && rec.Namespace != ours && rec.MountID != top.ID &&
		registry.IsMountedSomewhere(registry.ProcTables("/proc"), registry.ShowsAll("/proc"), rec,
			ours, top.Source)
}

// unmountCopy unmounts a copy of a volume's counted mount. The counted mount
// keeps its references and its lines in utab. umount(8) is going to remove one
// line, so unmountCopy adds one.
func (u *unmounting) unmountCopy(
	ctx context.Context, volume spec.Volume, top *mountinfo.Info,
) error {
	object := volume.String()
	u.Stepf("%s: unmounting a copy of its mount in another mount namespace; no reference is taken",
		object)
	if err := u.unmountOther(ctx, top); err != nil {
		return err
	}
	err := u.Utab().Feed(ctx, top.Mountpoint)
	// Where utab cannot be written, umount(8) cannot remove a line either.
	if err != nil && !errors.Is(err, unix.EROFS) && !errors.Is(err, unix.EACCES) {
		u.Warnf("%s: utab: %v", object, err)
	}
	return nil
}

// hasCopies says whether a volume that was unmounted here is still mounted in
// another mount namespace. Then the kernel removes the device when that mount
// ends. The caller does not wait for that.
func (u *unmounting) hasCopies(rec refcount.Record, v catalog.Volume) bool {
	if !rec.Elsewhere {
		return false
	}
	pid, dir := registry.MountedBy(registry.ProcTables("/proc"), rec.Dev,
		u.c.NodePath(dmname.Volume(v.Spec())))
	if pid == 0 {
		return false
	}
	object := v.Spec().String()
	u.Stepf("%s is mounted on %s in the mount namespace of process %d still", object,
		dir, pid)
	if err := u.c.RemoveDeferred(dmname.VolumeRef(v.PoolUUID, v.ID)); err != nil {
		u.Warnf("%s: %v", object, err)
	}
	return true
}
