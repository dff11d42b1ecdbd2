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
)

// isCopy tells whether a mount is the copy of a volume's counted mount, which is in
// another mount namespace. It needs neither a lock nor device-mapper, which a
// sandbox may not have: a mount in one namespace never becomes one in another.
func (u *unmounting) isCopy(pool, volume string, top *mountinfo.Info) bool {
	rec, err := u.Refs().Read(pool, volume)
	if err != nil || rec.References == 0 {
		return false
	}
	ours := mount.Namespace()
	return rec.Namespace != 0 && rec.Namespace != ours && rec.MountID != top.ID && registry.IsMountedSomewhere(registry.ProcTables("/proc"), registry.ShowsAll("/proc"), rec, ours, top.Source)
}

// unmountCopy unmounts a copy of a volume's mount. The counted mount keeps its
// references and its lines in utab, of which umount(8) is going to take the last.
func (u *unmounting) unmountCopy(ctx context.Context, volume string, top *mountinfo.Info) error {
	u.Stepf("%s: unmounting a copy of its mount in another mount namespace; no reference is taken", volume)
	if err := u.unmountOther(ctx, top); err != nil {
		return err
	}
	err := u.Utab().Feed(ctx, top.Mountpoint)
	if err != nil && !errors.Is(err, unix.EROFS) && !errors.Is(err, unix.EACCES) { // then umount(8) takes none, either
		u.Warnf("%s: utab: %v", volume, err)
	}
	return nil
}

// hasCopies tells whether a volume that was unmounted here is mounted in another
// mount namespace still: its device goes when the copy does, which is not waited
// for.
func (u *unmounting) hasCopies(rec refcount.Record, v catalog.Volume) bool {
	if !rec.Elsewhere {
		return false
	}
	pid, dir := registry.MountedBy(registry.ProcTables("/proc"), rec.Dev, u.c.NodePath(dmname.Volume(v.Pool, v.Name)))
	if pid == 0 {
		return false
	}
	u.Stepf("%s/%s is mounted on %s in the mount namespace of process %d still", v.Pool, v.Name, dir, pid)
	if err := u.c.RemoveDeferred(dmname.VolumeRef(v.PoolUUID, v.ID)); err != nil {
		u.Warnf("%s/%s: %v", v.Pool, v.Name, err)
	}
	return true
}
