package registry

import (
	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/spec"
)

// ResumeVolume resumes a volume's device. Every command resumes a volume by it,
// because udev must get the flags with which the device was made
// (host.VolumeCookie).
func ResumeVolume(c *dm.Control, r dm.Ref) (dm.Info, error) {
	return c.Resume(r, host.VolumeCookie)
}

// ResumeAndThaw resumes a volume that is suspended, and thaws what a killed
// snapshot has left frozen above it. A command calls it before it does anything
// that would wait for the suspended device.
//
// The caller holds the volume's lock. A snapshot holds that lock while its
// origin is suspended. So the snapshot that suspended this volume is dead. Its
// watcher is dead, too, or has not resumed the volume yet.
func ResumeAndThaw(s *host.System, c *dm.Control, v catalog.Volume) error {
	ref := dmname.VolumeRef(v.PoolUUID, v.ID)
	info, err := c.Info(ref)
	if err == nil && IsSuspended(info) {
		s.Warnf("%s was suspended: resuming it", info.Name)
		if _, err := ResumeVolume(c, ref); err != nil {
			return &fault.Error{Object: v.Spec().String(), Err: err,
				Remedy: fault.Hint("dmsetup resume " + info.Name)}
		}
	}
	if IsMarked(s, v) {
		return thawLeft(s, c, v)
	}
	return nil
}

// ResumeIfUnlocked is ResumeAndThaw for a command that does not hold the
// volume's lock. If another command holds the lock, ResumeIfUnlocked leaves the
// volume to that command. It warns of an error.
func ResumeIfUnlocked(s *host.System, c *dm.Control, v catalog.Volume) {
	ref, err := s.Refs().TryLock(v.Spec())
	if err != nil {
		return
	}
	defer Unlock(s, ref)
	if err := ResumeAndThaw(s, c, v); err != nil {
		s.Warnf("%v", err)
	}
}

// ResumeVolumes calls ResumeIfUnlocked for each active volume of a pool that is
// suspended, or above which a killed snapshot may have left filesystems frozen.
func ResumeVolumes(s *host.System, c *dm.Control, cat *catalog.Catalog) {
	cfg := cat.Pool()
	if backing.ActiveCopy(c, cfg) != nil {
		return // the active devices are those of another pool
	}
	all, err := c.List(dmname.UUIDPrefix + cfg.UUID + "-")
	if err != nil {
		return // a command that needs the devices meets the error itself
	}
	for _, d := range all {
		_, id, isVolume := dmname.ParseVolumeUUID(d.UUID)
		volume, named := dmname.ParseVolume(d.Name)
		if !isVolume || !named || volume.Pool != cfg.Name ||
			spec.CheckVolumeName(volume.Name) != nil {
			continue
		}
		v := catalog.Volume{Name: volume.Name, Pool: volume.Pool, PoolUUID: cfg.UUID, ID: id}
		if info, err := c.Info(dm.ByUUID(d.UUID)); err == nil &&
			(IsSuspended(info) || IsMarked(s, v)) {
			ResumeIfUnlocked(s, c, v)
		}
	}
}

// IsSuspended tells whether a device is suspended, so that I/O to it waits.
func IsSuspended(info dm.Info) bool { return info.Active() && info.Suspended() }
