package volumes

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// Rename gives a volume another name in its pool. A volume that is mounted, or
// whose device is open or was activated on purpose, is ErrBusy: the device, its
// node, its alias and its references have the old name. If Rename fails or
// dies, the volume has one of the two names. It warns of lines of fstab with
// the old name.
func Rename(ctx context.Context, s *host.System, volume spec.Volume, name string) error {
	if err := spec.CheckVolumeName(name); err != nil {
		return fault.Wrap(fault.ErrUsage, err)
	}
	renamed := spec.Volume{Pool: volume.Pool, Name: name}
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		if volume == renamed {
			return &fault.Error{Object: volume.String(),
				Err:    fault.Errorf(fault.ErrExists, "has that name already"),
				Remedy: fault.Hint("choose another name")}
		}
		oldRef, newRef, cat, v, err := lockBoth(ctx, s, volume, renamed)
		if err != nil {
			return err
		}
		defer registry.Unlock(s, newRef)
		defer registry.Unlock(s, oldRef)
		if err := engine.ClearName(ctx, s, c, cat, renamed); err != nil {
			return err
		}
		if err := releaseToRename(ctx, s, c, oldRef, v); err != nil {
			return err
		}
		p, err := engine.OpenActive(ctx, s, c, volume.Pool, engine.Exclusive)
		if err != nil {
			return err
		}
		defer p.Close()
		if err := p.FreeName(ctx, name); err != nil {
			return err
		}
		s.Stepf("renaming %s to %s", volume, renamed)
		if err := p.Catalog.Rename(v.Name, name); err != nil {
			return &fault.Error{Object: volume.String(), Err: err, Remedy: host.RemedyOf(err)}
		}
		// From here on the volume has the new name. So a failure of a later
		// step is a warning.
		if err := oldRef.Clear(); err != nil {
			s.Warnf("%s: %v", volume, err)
		}
		warnOfFstab(s, volume, renamed)
		return nil
	})
}

// releaseToRename removes a device that is left of the volume. It returns
// ErrBusy if somebody uses the volume.
func releaseToRename(
	ctx context.Context, s *host.System, c *dm.Control, ref *refcount.Ref, v catalog.Volume,
) error {
	if err := refuseUsed(s, c, ref, v); err != nil {
		return err
	}
	return engine.RemoveDevice(ctx, s, c, v)
}

// refuseUsed returns ErrBusy if the volume is mounted, or was activated on
// purpose.
func refuseUsed(s *host.System, c *dm.Control, ref *refcount.Ref, v catalog.Volume) error {
	rec, err := registry.ReconcileUnmounted(s, c, ref, v)
	if err == nil && rec.Pinned {
		err = &fault.Error{Object: rec.Volume.String(),
			Err:    fault.Errorf(fault.ErrBusy, "activated for other work"),
			Remedy: fault.DeactivateVolume{Volume: rec.Volume}}
	}
	return err
}

// warnOfFstab warns of lines of fstab that name a volume that is renamed.
func warnOfFstab(s *host.System, volume, renamed spec.Volume) {
	for _, line := range registry.LinesOf(s, volume) {
		s.Warnf("%s: line %d, for %s, names %s: write %s there", s.Fstab, line.Line, line.Dir,
			volume, renamed)
	}
}
