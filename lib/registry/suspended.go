package registry

import (
	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
)

// ResumeVolume is how every command resumes a volume's device. The flags are
// those that the device was made with: see volumeCookie.
func ResumeVolume(c *dm.Control, r dm.Ref) (dm.Info, error) {
	return c.Resume(r, host.VolumeCookie)
}

// ResumeAndThaw resumes a volume that is suspended, and thaws what a killed snapshot
// has left frozen above it. The caller has the volume's
// lock, and so does every snapshot while its origin is suspended: the snapshot
// that has suspended this one was killed, and its watcher with it, or has not
// come to it yet. A command calls this before anything that could sleep on the
// device.
func ResumeAndThaw(s *host.System, c *dm.Control, v catalog.Volume) error {
	ref := dmname.VolumeRef(v.PoolUUID, v.ID)
	info, err := c.Info(ref)
	if err == nil && IsSuspended(info) {
		s.Warnf("%s was suspended: resuming it", info.Name)
		if _, err := ResumeVolume(c, ref); err != nil {
			return &fault.Error{Object: v.Pool + "/" + v.Name, Err: err, Remedy: fault.Hint("dmsetup resume " + info.Name)}
		}
	}
	if IsMarked(s, v) {
		return thawLeft(s, c, v)
	}
	return nil
}

// ResumeIfUnlocked is wakeVolume for a command that has no lock of the volume. A
// volume whose lock is taken is left to whoever has it.
func ResumeIfUnlocked(s *host.System, c *dm.Control, v catalog.Volume) {
	ref, err := s.Refs().TryLock(v.Pool, v.Name)
	if err != nil {
		return
	}
	defer Unlock(s, ref, v.Pool, v.Name)
	if err := ResumeAndThaw(s, c, v); err != nil {
		s.Warnf("%v", err)
	}
}

// ResumeVolumes is wakeIfLeft for all active volumes of a pool.
func ResumeVolumes(s *host.System, c *dm.Control, cat *catalog.Catalog) {
	cfg := cat.Pool()
	if backing.ActiveCopy(c, cfg) != nil {
		return // what is active is another pool's
	}
	all, err := c.List(dmname.UUIDPrefix + cfg.UUID + "-")
	if err != nil {
		return // whoever needs the devices says so
	}
	for _, d := range all {
		_, id, isVolume := dmname.ParseVolumeUUID(d.UUID)
		pool, volume, named := dmname.ParseVolume(d.Name)
		if !isVolume || !named || pool != cfg.Name || catalog.CheckVolumeName(volume) != nil {
			continue
		}
		v := catalog.Volume{Name: volume, Pool: pool, PoolUUID: cfg.UUID, ID: id}
		if info, err := c.Info(dm.ByUUID(d.UUID)); err == nil && (IsSuspended(info) || IsMarked(s, v)) {
			ResumeIfUnlocked(s, c, v)
		}
	}
}

// IsSuspended says that a device holds its users' I/O back.
func IsSuspended(info dm.Info) bool { return info.Active() && info.Suspended() }
