package thin

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// lockKnown locks a volume and reads its record, which must exist.
func (s *System) lockKnown(ctx context.Context, pool, volume string) (*refcount.Ref, catalog.Volume, error) {
	if _, err := s.findVolume(pool, volume); err != nil {
		return nil, catalog.Volume{}, err
	}
	ref, err := s.lockVolume(ctx, pool, volume)
	if err != nil {
		return nil, catalog.Volume{}, err
	}
	v, err := s.findVolume(pool, volume)
	if err != nil {
		ref.Close()
		return nil, catalog.Volume{}, err
	}
	return ref, v, nil
}

func (s *System) lockVolume(ctx context.Context, pool, volume string) (*refcount.Ref, error) {
	defer s.waitingFor("another command on " + pool + "/" + volume)()
	ref, err := s.refs().Lock(ctx, pool, volume)
	if err != nil {
		return nil, waitError(pool+"/"+volume, err)
	}
	return ref, nil
}

// letGo gives a volume's lock back, and its file, too, if there is no such
// volume (any more): the names of volumes come and go by the hundred.
func (s *System) letGo(ref *refcount.Ref, pool, volume string) {
	cat, err := s.catalogs().Open(pool)
	if err == nil {
		_, err = cat.VolumeAnyState(volume)
	}
	if errors.Is(err, catalog.ErrNoVolume) || errors.Is(err, catalog.ErrNoPool) {
		ref.CloseRemove()
		return
	}
	ref.Close()
}

// findVolume reads a volume's record without any lock.
func (s *System) findVolume(pool, volume string) (catalog.Volume, error) {
	if err := errors.Join(catalog.CheckPoolName(pool), catalog.CheckVolumeName(volume)); err != nil {
		return catalog.Volume{}, wrap(ErrUsage, err)
	}
	cat, err := s.openCatalog(pool)
	if err != nil {
		return catalog.Volume{}, err
	}
	v, err := cat.Volume(volume)
	if errors.Is(err, catalog.ErrNoVolume) {
		return v, noVolume(pool, volume)
	}
	if err != nil {
		return v, corrupt(pool+"/"+volume, err)
	}
	return v, nil
}

func noVolume(pool, volume string) error {
	return &Error{Object: pool + "/" + volume, Err: reason(ErrNotFound, "no such volume"),
		Hint: "thin-snap list " + pool + ", or make it: thin-snap create --size SIZE --fs ext4 " + pool + "/" + volume}
}

// observe compares the volume's record with the kernel and returns what is
// true. A volume that a killed snapshot has left suspended runs again then. The
// caller has the volume's lock.
func (s *System) observe(c *dm.Control, ref *refcount.Ref, v catalog.Volume) (refcount.Record, error) {
	return s.observeIf(c, ref, v, func() error { return nil })
}

// observeOwn is observe for whoever goes by the catalog: an active volume of a copy
// of the pool is not the one that is meant, and is left alone.
func (s *System) observeOwn(c *dm.Control, ref *refcount.Ref, v catalog.Volume) (refcount.Record, error) {
	return s.observeIf(c, ref, v, func() error {
		cat, err := s.openCatalog(v.Pool)
		if err == nil {
			err = refuseCopy(c, cat.Pool())
		}
		return err
	})
}

// observeIf is observe of a volume that, where it is active, may be used.
func (s *System) observeIf(c *dm.Control, ref *refcount.Ref, v catalog.Volume, may func() error) (refcount.Record, error) {
	obs, asleep, err := observed(c, v, ref.Record())
	if err == nil && obs.Active {
		err = may()
	}
	if err != nil {
		return refcount.Record{}, &Error{Object: v.Pool + "/" + v.Name, Err: err}
	}
	if asleep || s.isMarked(v) {
		if err := s.wakeVolume(c, v); err != nil {
			return refcount.Record{}, err
		}
	}
	return ref.Reconcile(obs)
}

// observed asks the kernel for the volume's device and its mounts, and looks for
// the mount that the record claims where the own mount table does not have it.
// asleep says that the device is suspended.
func observed(c *dm.Control, v catalog.Volume, rec refcount.Record) (obs refcount.Observed, asleep bool, err error) {
	obs = refcount.Observed{PoolUUID: v.PoolUUID, ThinID: v.ID}
	info, err := c.Info(volumeRef(v.PoolUUID, v.ID))
	if errors.Is(err, dm.ErrNotExist) {
		return obs, false, nil
	}
	if err != nil {
		return obs, false, err
	}
	obs.Active, obs.OpenCount, obs.Dev = info.Active(), info.OpenCount, info.Dev.String()
	table, err := mount.Table()
	if err != nil {
		return obs, false, err
	}
	obs.Namespace = mount.Namespace()
	path := c.NodePath(volumeName(v.Pool, v.Name))
	mounts := mount.ByDev(table, int(info.Dev.Major), int(info.Dev.Minor), path)
	if len(mounts) > 1 { // of two at one path the last counts: it is on top
		mounts = mount.ByDev(mount.UpperFirst(table), int(info.Dev.Major), int(info.Dev.Minor), path)
		slices.Reverse(mounts)
	}
	for _, m := range mounts {
		obs.Mounts = append(obs.Mounts, refcount.MountPoint{ID: m.ID, Path: m.Mountpoint, Root: m.Root})
	}
	obs.Lives = rec.Unseen(obs) && lives(procTables("/proc"), showsAll("/proc"), rec, obs.Namespace, path)
	return obs, isAsleep(info), nil
}

// fillRecord notes which device carries the volume.
func fillRecord(rec *refcount.Record, v catalog.Volume, path string, dev dm.DevNo) {
	rec.Volume, rec.PoolUUID, rec.ThinID = v.Pool+"/"+v.Name, v.PoolUUID, v.ID
	rec.Device, rec.Dev = path, dev.String()
	if rec.Since.IsZero() {
		rec.Since = time.Now().UTC().Truncate(time.Second)
	}
}

// refuseMounted says where a volume is mounted that must not be, here or in another
// mount namespace.
func (s *System) refuseMounted(c *dm.Control, rec refcount.Record, v catalog.Volume) error {
	if rec.Elsewhere || rec.References == 0 {
		return s.refuseElsewhere(c, rec, v)
	}
	return &Error{Object: rec.Volume, Err: reason(ErrBusy, "mounted on %s", rec.MountedOn), Hint: umountHint(rec)}
}

// umountHint is how all references to a mounted volume go.
func umountHint(rec refcount.Record) string {
	hint := "umount " + shellPath(rec.MountedOn)
	if rec.References > 1 {
		hint += " (" + strconv.Itoa(rec.References) + " times: it has " + Count(rec.References, "reference") + ")"
	}
	return hint
}
