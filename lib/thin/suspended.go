package thin

import (
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
)

// resumeVolume is how every command resumes a volume's device. The flags are
// those that the device was made with: see volumeCookie.
func resumeVolume(c *dm.Control, r dm.Ref) (dm.Info, error) {
	return c.Resume(r, volumeCookie)
}

// wakeVolume resumes a volume that is suspended, and thaws what a killed snapshot
// has left frozen above it. The caller has the volume's
// lock, and so does every snapshot while its origin is suspended: the snapshot
// that has suspended this one was killed, and its watcher with it, or has not
// come to it yet. A command calls this before anything that could sleep on the
// device.
func (s *System) wakeVolume(c *dm.Control, v catalog.Volume) error {
	ref := volumeRef(v.PoolUUID, v.ID)
	info, err := c.Info(ref)
	if err == nil && isAsleep(info) {
		s.warn("%s was suspended: resuming it", info.Name)
		if _, err := resumeVolume(c, ref); err != nil {
			return &Error{Object: v.Pool + "/" + v.Name, Err: err, Hint: "dmsetup resume " + info.Name}
		}
	}
	if s.isMarked(v) {
		return s.thawLeft(c, v)
	}
	return nil
}

// wakeIfLeft is wakeVolume for a command that has no lock of the volume. A
// volume whose lock is taken is left to whoever has it.
func (s *System) wakeIfLeft(c *dm.Control, v catalog.Volume) {
	ref, err := s.refs().TryLock(v.Pool, v.Name)
	if err != nil {
		return
	}
	defer s.letGo(ref, v.Pool, v.Name)
	if err := s.wakeVolume(c, v); err != nil {
		s.warn("%v", err)
	}
}

// wakeVolumes is wakeIfLeft for all active volumes of a pool.
func (s *System) wakeVolumes(c *dm.Control, cat *catalog.Catalog) {
	cfg := cat.Pool()
	if activeCopy(c, cfg) != nil {
		return // what is active is another pool's
	}
	all, err := c.List(uuidPrefix + cfg.UUID + "-")
	if err != nil {
		return // whoever needs the devices says so
	}
	for _, d := range all {
		_, id, isVolume := splitVolumeUUID(d.UUID)
		pool, volume, named := splitVolumeName(d.Name)
		if !isVolume || !named || pool != cfg.Name || catalog.CheckVolumeName(volume) != nil {
			continue
		}
		v := catalog.Volume{Name: volume, Pool: pool, PoolUUID: cfg.UUID, ID: id}
		if info, err := c.Info(dm.ByUUID(d.UUID)); err == nil && (isAsleep(info) || s.isMarked(v)) {
			s.wakeIfLeft(c, v)
		}
	}
}

// isAsleep says that a device holds its users' I/O back.
func isAsleep(info dm.Info) bool { return info.Active() && info.Suspended() }
