package mounting

import (
	"context"
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// UnmountRequest is what umount(8) hands to its helper (umount(8), EXTERNAL
// HELPERS).
type UnmountRequest struct {
	Dir      string
	Lazy     bool // -l: detach now; the kernel removes the device at its last close
	Force    bool // -f: drop all references; abort what hangs for a server (MNT_FORCE)
	All      bool // drop all references
	ReadOnly bool // -r: if it is busy, make it read-only instead
}

// Unmount drops one reference to the volume that is mounted on Dir. With the
// last reference it unmounts the volume and waits until the kernel has removed
// the device. A mount of something else has no references, and neither has a
// second mount of a volume (a bind mount, say): Unmount unmounts these at once.
// If the filesystem is busy, the error is ErrBusy, and the reference stays.
func Unmount(ctx context.Context, s *host.System, r UnmountRequest) error {
	ctx, cancel := s.Waiting(ctx)
	defer cancel()
	if r.Dir == "" {
		return &fault.Error{Err: fault.Errorf(fault.ErrUsage, "no directory is named"),
			Remedy: fault.Hint("umount DIR")}
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return err
	}
	u := &unmounting{System: s, request: r, dir: dir}
	defer u.mounts.Close()
	// No lock is held yet. device-mapper is not open yet, because a sandbox may
	// have none.
	top, err := u.top()
	if err != nil {
		return err
	}
	volume, ok := isOurs(top)
	if ok && u.isCopy(volume, top) {
		return u.unmountCopy(ctx, volume, top)
	}
	if u.c, err = s.Kernel(); err != nil {
		return err
	}
	defer u.c.Close()
	if !ok {
		return u.unmountOther(ctx, top)
	}
	ref, err := registry.LockVolume(ctx, s, volume)
	if err != nil {
		return err
	}
	defer ref.Close()
	return u.unmountLocked(ctx, ref, volume)
}

// unmounting is one call of Unmount.
type unmounting struct {
	*host.System
	c       *dm.Control
	known   *dm.Control // c that remembers, until the unmount begins
	mounts  mount.Mounts
	request UnmountRequest
	dir     string

	poolRef string // the pool's uuid in device-mapper
	mayWait string // pool in which the last writes may wait for room; or ""
}

// top returns the mount that an unmount of u.dir would remove. If u.dir has
// symbolic links, top replaces it by the path that the mount table has.
// Following the links may trigger a mount on demand, so top reads the table
// again after that.
func (u *unmounting) top() (*mountinfo.Info, error) {
	top, err := u.seen()
	if !errors.Is(err, fault.ErrNotFound) {
		return top, err
	}
	real, evalErr := filepath.EvalSymlinks(u.dir)
	if evalErr != nil || real == u.dir {
		return nil, err
	}
	given := u.dir
	u.dir = real
	if top, err := u.seen(); !errors.Is(err, fault.ErrNotFound) {
		return top, err
	}
	u.dir = given
	return nil, err
}

// seen finds the mount on u.dir in our mount table. It looks at no path and so
// triggers no mount on demand. So it may be called with a lock held.
func (u *unmounting) seen() (top *mountinfo.Info, err error) {
	table, err := u.mounts.Now()
	if err != nil {
		return nil, err
	}
	if top := mount.Top(table, u.dir); top != nil {
		return top, nil
	}
	return nil, &fault.Error{Object: u.dir,
		Err:    fault.Errorf(fault.ErrNotFound, "not mounted"),
		Remedy: fault.Hint("findmnt shows what is mounted")}
}

// unmountOther unmounts a mount that is not a volume's counted mount.
func (u *unmounting) unmountOther(ctx context.Context, top *mountinfo.Info) error {
	_, err := u.unmountOnce(ctx, top, u.unmount)
	return err
}

// unmount calls umount2(2), in a second process if the last writes may wait for
// room in the pool.
func (u *unmounting) unmount(ctx context.Context) error {
	o := mount.UnmountOptions{Lazy: u.request.Lazy, Force: u.request.Force, NoFollow: true}
	if u.mayWait != "" {
		o.Call = func(target string, flags int) error { return u.unmountApart(ctx, target, flags) }
	}
	return mount.Unmount(u.dir, o)
}

// unmountOnce unmounts by calling do. If the mount is busy, the caller has
// asked for ReadOnly, and no write may have to wait for room in the pool, it
// makes the filesystem read-only instead, and stays is true.
func (u *unmounting) unmountOnce(
	ctx context.Context, top *mountinfo.Info, do func(context.Context) error,
) (stays bool, err error) {
	found, err := u.unmountRetrying(ctx, top, do)
	if !errors.Is(err, unix.EBUSY) {
		return false, err
	}
	if u.request.ReadOnly && u.mayWait == "" {
		if ro := mount.MakeReadOnly(u.dir, top.ID); ro == nil {
			u.Stepf("%s is busy: now read-only", u.dir)
			return true, nil
		}
	}
	return false, u.busyError(found, err)
}

// unmountLocked looks again at what is mounted on u.dir, and decides which kind
// of unmount this is. The caller holds the volume's lock.
func (u *unmounting) unmountLocked(
	ctx context.Context, ref *refcount.Ref, volume spec.Volume,
) error {
	top, err := u.seen()
	if err != nil {
		return err
	}
	if now, ok := isOurs(top); !ok || now != volume {
		return &fault.Error{Object: u.dir,
			Err:    fault.Errorf(fault.ErrBusy, "another mount came in between"),
			Remedy: fault.Hint("try again")}
	}
	// What is asked from here on cannot change under the volume's lock, or may
	// be as old as the first answer.
	u.known = u.c.Remember()
	v, dev, err := u.volumeOf(volume, top)
	if err != nil {
		return err
	}
	rec, err := registry.ReconcileIn(u.mounts.Now, u.System, u.known, ref, v, u.refuseDead(v))
	if err != nil {
		return err
	}
	counted := !rec.Elsewhere && rec.MountedOn == u.dir
	if counted && rec.References > 1 && !u.request.Force && !u.request.All {
		return u.notLast(ctx, ref, rec, top)
	}
	if err := u.resumeForUnmount(ctx, v); err != nil {
		return err
	}
	switch {
	case rec.Elsewhere && rec.References > 0:
		return u.unmountCopy(ctx, rec.Volume, top)
	case !counted:
		return u.unmountOther(ctx, top)
	}
	return u.unmountLast(ctx, ref, v, dev, top)
}

// volumeOf finds out from the device itself which thin device is mounted, and
// returns its number. It does not read the catalog, because a volume must be
// unmountable even if its catalog is damaged or missing.
func (u *unmounting) volumeOf(volume spec.Volume, top *mountinfo.Info) (catalog.Volume, dm.DevNo,
	error) {
	info, err := u.known.Info(dm.ByName(dmname.Volume(volume)))
	if err != nil {
		return catalog.Volume{}, dm.DevNo{}, &fault.Error{Object: top.Source, Err: err}
	}
	uuid, id, ok := dmname.ParseVolumeUUID(info.UUID)
	if !ok {
		return catalog.Volume{}, dm.DevNo{}, backing.ForeignDevice(u.dir, info.Name, info.UUID)
	}
	return catalog.Volume{Name: volume.Name, Pool: volume.Pool, PoolUUID: uuid, ID: id},
		info.Dev, nil
}

// notLast is step 1 of the table "umount, last umount" of docs/crashes.md: the
// record, then a line in utab. The mount stays.
func (u *unmounting) notLast(
	ctx context.Context, ref *refcount.Ref, rec refcount.Record, top *mountinfo.Info,
) error {
	object := rec.Volume.String()
	u.Stepf("%s stays mounted on %s: %s left", object, rec.MountedOn,
		fault.Count(rec.References-1, "reference"))
	if err := ref.Drop(); err != nil {
		return &fault.Error{Object: object, Err: err}
	}
	u.addSpareUtabLine(ctx, rec.Volume, top)
	return nil
}

// addSpareUtabLine adds one line to utab for a mount that stays. umount(8)
// removes a line whenever its helper returns success.
func (u *unmounting) addSpareUtabLine(
	ctx context.Context, volume spec.Volume, top *mountinfo.Info,
) {
	registry.MendUtab(ctx, u.mounts.Now, u.System, u.c, registry.UtabEntry(top, volume.String()), 1)
}

// unmountLast goes through the steps 2 to 4 of the table "umount, last umount"
// of docs/crashes.md, and waits until the kernel has removed the device. The
// caller holds the volume's lock.
func (u *unmounting) unmountLast(
	ctx context.Context, ref *refcount.Ref, v catalog.Volume, dev dm.DevNo, top *mountinfo.Info,
) error {
	pinned := ref.Record().Pinned
	f := u.flushing(v, dev, top, ref.Record().Since)
	var late error     // says that writes failed during the unmount
	var unchanged bool // the mount table is what was read, but for this unmount
	kept := u.keep(dev, top)
	defer kept.close()
	stays, err := u.unmountOnce(ctx, top, func(ctx context.Context) (err error) {
		// 2. syncfs
		if err := f.before(ctx); err != nil {
			return err
		}
		// 3. umount2
		unchanged = !u.mounts.Changed()
		late, err = f.watched(func() error { return u.unmount(ctx) })
		return err
	})
	if stays {
		u.addSpareUtabLine(ctx, v.Spec(), top)
	}
	if stays || err != nil {
		return err
	}
	if late != nil && (u.request.Lazy || u.request.Force) {
		u.Warnf("%v", late)
		late = nil
	}
	kept.untilSeen(ctx, u.System)
	// 4. lines in utab, record, alias
	after := u.mounts.Now
	if unchanged {
		after = u.after(dev, top)
	}
	u.dropUtab(ctx, top, after)
	info, gone, err := u.dropRecord(after, ref, v, pinned)
	if gone {
		registry.DropAlias(u.System, v.Spec())
		if err := RemoveAtClose(u.c, v, info); err != nil {
			u.Warnf("%s: unmounted, but the device stays: %v", v.Spec(), err)
		} else if !u.request.Lazy {
			WaitRemoved(ctx, u.System, u.c, v, info, u.dir)
		}
	}
	return errors.Join(late, err)
}

// after returns the mount table after the unmount of top, if nothing else has
// changed it. It is read again only if the unmount may have removed more than
// top: if it was lazy, or if the device has other mounts, to which it may have
// propagated.
func (u *unmounting) after(dev dm.DevNo, top *mountinfo.Info) registry.MountTable {
	table := u.mounts.Without(top.ID)
	if u.request.Lazy ||
		len(mount.ByDev(table, int(dev.Major), int(dev.Minor), top.Source)) > 0 {
		return u.mounts.Now
	}
	return func() (mountinfo.Table, error) { return table, nil }
}

// dropRecord removes the volume's record. It keeps the record if the volume was
// activated on purpose (pinned), or if it has another mount, whose path is the
// volume's one path from now on. gone says that no mount of the volume is left,
// neither here nor in another mount namespace. info is the volume's device, if
// the kernel has not removed it yet.
func (u *unmounting) dropRecord(
	table registry.MountTable, ref *refcount.Ref, v catalog.Volume, pinned bool,
) (info dm.Info, gone bool, err error) {
	rec, err := registry.ReconcileIn(table, u.System, u.c, ref, v,
		func(i dm.Info, _ refcount.Record) error { info = i; return nil })
	if err != nil {
		u.Warnf("%v", err)
		return info, false, nil
	}
	if rec.References > 0 || pinned {
		return info, false, ref.Save(rec)
	}
	if err := ref.Clear(); err != nil {
		u.Warnf("%s: %v", v.Spec(), err)
	}
	return info, !u.hasCopies(rec, v), nil
}

// dropUtab removes the lines of the mount top from utab, and now and then all
// stale lines. If that fails it warns: the volume is unmounted. after is the
// mount table without top.
func (u *unmounting) dropUtab(
	ctx context.Context, top *mountinfo.Info, after registry.MountTable,
) {
	one := registry.OneMount(u.System, top.Source, top.Mountpoint)
	guess := one(registry.LookUtabIn(after, u.System, u.c))
	look := one(registry.LookUtabIn(u.mounts.Now, u.System, u.c))
	table, err := after()
	if err == nil && !mount.LiveIn(table)(top.Source, top.Mountpoint) {
		err = u.Utab().Ended(ctx, top.Source, top.Mountpoint, guess, look)
	} else {
		err = u.Utab().Tidy(ctx, look)
	}
	if err != nil {
		u.Warnf("%s: utab: %v", u.dir, err)
	}
}
