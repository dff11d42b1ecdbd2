package registry

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
)

// LockKnown locks a volume and reads its record in the catalog, which must
// exist. It reads the record before it locks, too, so that a mistyped name
// makes no lock file.
func LockKnown(ctx context.Context, s *host.System,
	volume spec.Volume) (*refcount.Ref, catalog.Volume, error) {
	if _, err := FindVolume(s, volume); err != nil {
		return nil, catalog.Volume{}, err
	}
	ref, err := LockVolume(ctx, s, volume)
	if err != nil {
		return nil, catalog.Volume{}, err
	}
	v, err := FindVolume(s, volume)
	if err != nil {
		ref.Close()
		return nil, catalog.Volume{}, err
	}
	return ref, v, nil
}

// LockVolume takes a volume's lock. If another command holds the lock,
// LockVolume waits until that command releases it or ctx ends.
func LockVolume(ctx context.Context, s *host.System, volume spec.Volume) (*refcount.Ref, error) {
	object := volume.String()
	defer s.WaitingFor("another command on " + object)()
	ref, err := s.Refs().Lock(ctx, volume)
	if err != nil {
		return nil, fault.WaitError(object, err)
	}
	return ref, nil
}

// Unlock releases a volume's lock. If the catalog does not have the volume,
// Unlock removes the lock file, too: volumes are made and deleted by the
// hundred, and their lock files would pile up.
func Unlock(s *host.System, ref *refcount.Ref) {
	cat, err := s.Catalogs().Open(ref.Volume().Pool)
	if err == nil {
		settle(cat)
		_, err = cat.VolumeAnyState(ref.Volume().Name)
	}
	if errors.Is(err, catalog.ErrNoVolume) || errors.Is(err, catalog.ErrNoPool) {
		ref.CloseRemove()
		return
	}
	ref.Close()
}

// FindVolume reads a volume's record in the catalog. It takes no lock.
func FindVolume(s *host.System, volume spec.Volume) (catalog.Volume, error) {
	_, v, err := Find(s, volume)
	return v, err
}

// Find reads a pool's catalog and the record of a volume in it. It takes no
// lock. An invalid name is fault.ErrUsage. A pool or volume that does not exist
// is fault.ErrNotFound. For a volume that was made for a program to run in,
// Find returns the record with an error that is ErrOfRun.
func Find(s *host.System, volume spec.Volume) (*catalog.Catalog, catalog.Volume, error) {
	if err := volume.Check(); err != nil {
		return nil, catalog.Volume{}, fault.Wrap(fault.ErrUsage, err)
	}
	cat, err := OpenCatalog(s, volume.Pool)
	if err != nil {
		return nil, catalog.Volume{}, err
	}
	v, err := cat.Volume(volume.Name)
	if errors.Is(err, catalog.ErrNoVolume) {
		if v, ok := cat.Run(volume.Name); ok {
			return cat, v, ofRun(s, volume)
		}
		return nil, v, noVolume(volume)
	}
	if err != nil {
		return nil, v, Corrupt(volume.String(), err)
	}
	return cat, v, nil
}

// RefuseTaken returns fault.ErrExists if a volume has the name, in any state.
func RefuseTaken(cat *catalog.Catalog, volume spec.Volume) error {
	_, err := cat.VolumeAnyState(volume.Name)
	switch {
	case err == nil:
		return &fault.Error{Object: volume.String(),
			Err:    fault.Errorf(fault.ErrExists, "exists already"),
			Remedy: fault.Sayf("choose another name, or: %v", fault.DeleteVolume{Volume: volume})}
	case errors.Is(err, catalog.ErrNoVolume):
		return nil
	}
	return Corrupt(volume.String(), err)
}

// noVolume returns the error for a volume that does not exist.
func noVolume(volume spec.Volume) error {
	return &fault.Error{Object: volume.String(),
		Err: fault.Errorf(fault.ErrNotFound, "no such volume"),
		Remedy: fault.Sayf("%v, or make it: %v", fault.ListVolumes{Pool: volume.Pool},
			fault.CreateVolume{Volume: volume})}
}

// Reconcile compares the volume's record of references with the kernel,
// corrects the record, and returns it. If a killed snapshot has left the volume
// suspended, or filesystems above it frozen, Reconcile calls ResumeAndThaw. The
// caller holds the volume's lock.
func Reconcile(s *host.System, c *dm.Control, ref *refcount.Ref,
	v catalog.Volume) (refcount.Record, error) {
	return ReconcileIn(mount.Table, s, c, ref, v, nil)
}

// ReconcileOwn is Reconcile for a command that goes by the catalog. If the
// active volume belongs to a copy of the pool, the command does not mean that
// volume. ReconcileOwn then leaves it alone and returns an error.
func ReconcileOwn(s *host.System, c *dm.Control, ref *refcount.Ref,
	v catalog.Volume) (refcount.Record, error) {
	return ReconcileIn(mount.Table, s, c, ref, v, func(dm.Info, refcount.Record) error {
		cat, err := OpenCatalog(s, v.Pool)
		if err == nil {
			err = backing.RefuseCopy(c, cat.Pool())
		}
		return err
	})
}

// MountTable returns our own mount table, as mount.Table does, or mount.Mounts.
type MountTable func() (mountinfo.Table, error)

// May tells whether a command may go on with an active volume. It gets the
// device, and the volume's record as far as the kernel agrees with it.
type May func(dm.Info, refcount.Record) error

// ReconcileIn is Reconcile for a caller that reads files only once. It gets the
// mount table from table, and calls table only if the volume is active. If the
// volume is active and may is not nil, it also calls may. If may returns an
// error, ReconcileIn leaves the volume alone and returns that error.
func ReconcileIn(table MountTable, s *host.System, c *dm.Control, ref *refcount.Ref,
	v catalog.Volume, may May) (refcount.Record, error) {
	obs, info, err := queryKernel(table, c, v, ref.Record())
	if err == nil && obs.Active && may != nil {
		err = may(info, ref.Record().Reconcile(obs))
	}
	if err != nil {
		return refcount.Record{}, &fault.Error{Object: v.Spec().String(), Err: err}
	}
	if IsSuspended(info) || IsMarked(s, v) {
		if err := ResumeAndThaw(s, c, v); err != nil {
			return refcount.Record{}, err
		}
	}
	return ref.Reconcile(obs)
}

// QueryKernel asks the kernel for the volume's device and its mounts. If our
// own mount table does not have the mount that the record counts, QueryKernel
// looks for it in the tables of all processes. asleep says that the device is
// suspended.
func QueryKernel(c *dm.Control, v catalog.Volume,
	rec refcount.Record) (obs refcount.Observed, asleep bool, err error) {
	return QueryKernelIn(mount.Table, c, v, rec)
}

// QueryKernelIn is QueryKernel for a caller that asks for many volumes: it gets
// our own mount table from read, and calls read only if the volume is active.
func QueryKernelIn(read MountTable, c *dm.Control, v catalog.Volume,
	rec refcount.Record) (obs refcount.Observed, asleep bool, err error) {
	obs, info, err := queryKernel(read, c, v, rec)
	return obs, IsSuspended(info), err
}

// queryKernel is QueryKernelIn that returns the device's state; the zero Info
// is that of none.
func queryKernel(read MountTable, c *dm.Control, v catalog.Volume,
	rec refcount.Record) (obs refcount.Observed, info dm.Info, err error) {
	obs = refcount.Observed{PoolUUID: v.PoolUUID, ThinID: v.ID}
	info, err = c.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	if errors.Is(err, dm.ErrNotExist) {
		return obs, dm.Info{}, nil
	}
	if err != nil {
		return obs, dm.Info{}, err
	}
	obs.Active, obs.OpenCount, obs.Dev = info.Active(), info.OpenCount, info.Dev.String()
	table, err := read()
	if err != nil {
		return obs, info, err
	}
	obs.Namespace = mount.Namespace()
	path := c.NodePath(dmname.Volume(v.Spec()))
	mounts := mount.ByDev(table, int(info.Dev.Major), int(info.Dev.Minor), path)
	if len(mounts) > 1 { // of two mounts at one path the last counts: it is on top
		mounts = mount.UpperFirst(table, mounts)
		slices.Reverse(mounts)
	}
	for _, m := range mounts {
		obs.Mounts = append(obs.Mounts,
			refcount.MountPoint{ID: m.ID, Path: m.Mountpoint, Root: m.Root})
	}
	obs.Lives = rec.Unseen(obs) &&
		IsMountedSomewhere(ProcTables("/proc"), ShowsAll("/proc"), rec, obs.Namespace, path)
	return obs, info, nil
}

// FillRecord writes into the record which device carries the volume: path is
// the path of its node, dev its number. It sets Since if that is not set yet.
func FillRecord(rec *refcount.Record, v catalog.Volume, path string, dev dm.DevNo) {
	rec.Volume, rec.PoolUUID, rec.ThinID = v.Spec(), v.PoolUUID, v.ID
	rec.Device, rec.Dev = path, dev.String()
	if rec.Since.IsZero() {
		rec.Since = time.Now().UTC().Truncate(time.Second)
	}
}

// ReconcileUnmounted is ReconcileOwn for a command that needs the volume not
// mounted. If the volume is mounted, in this or in another mount namespace, the
// error is fault.ErrBusy and says where. It is ErrBusy, too, if another command
// is mounting the volume: that command does not hold the volume's lock while
// the kernel reads the disk.
func ReconcileUnmounted(s *host.System, c *dm.Control, ref *refcount.Ref,
	v catalog.Volume) (refcount.Record, error) {
	rec, err := ReconcileOwn(s, c, ref, v)
	if err == nil {
		err = refuseMounted(s, c, rec, v)
	}
	return rec, err
}

// refuseMounted returns the error of ReconcileUnmounted for a mounted volume.
func refuseMounted(s *host.System, c *dm.Control, rec refcount.Record, v catalog.Volume) error {
	if rec.Elsewhere || rec.References == 0 {
		if err := RefuseElsewhere(s, c, rec, v); err != nil || !rec.Elsewhere {
			return err
		}
		return refuseBeingMounted(s, rec.Volume)
	}
	return &fault.Error{Object: rec.Volume.String(),
		Err:    fault.Errorf(fault.ErrBusy, "mounted on %s", rec.MountedOn),
		Remedy: fault.Unmount{Path: rec.MountedOn, Times: rec.References}}
}

// refuseBeingMounted returns ErrBusy if another command is mounting a volume:
// that command does not hold the volume's lock while the kernel reads the disk.
// The caller holds the volume's lock.
func refuseBeingMounted(s *host.System, volume spec.Volume) error {
	is, err := s.Refs().IsBeingMounted(volume)
	switch {
	case err != nil:
		return &fault.Error{Object: volume.String(), Err: err}
	case is:
		return BeingMounted(volume)
	}
	return nil
}

// BeingMounted returns the error for a volume of which another command has the
// mount lock: it mounts the volume, or resizes or trims its filesystem.
func BeingMounted(volume spec.Volume) error {
	return &fault.Error{Object: volume.String(),
		Err: fault.Errorf(fault.ErrBusy,
			"another command is mounting it, or works on its filesystem"),
		Remedy: fault.Hint("try again later")}
}
