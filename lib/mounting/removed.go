package mounting

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/host"
)

// RemoveAtClose makes the kernel remove the device of a volume that is
// unmounted, at its last close. is is the device as it was a moment ago, or the
// zero Info if the kernel has removed it already. The caller holds the volume's
// lock, so that no other command activates the volume meanwhile.
func RemoveAtClose(c *dm.Control, v catalog.Volume, is dm.Info) error {
	// The kernel's work item removes one device after the other, and so takes
	// seconds after many unmounts. It need not be waited for where the device
	// is closed.
	if is == (dm.Info{}) || is.OpenCount > 0 && is.DeferredRemove() {
		return nil
	}
	return c.RemoveDeferred(dmname.VolumeRef(v.PoolUUID, v.ID))
}

// WaitRemoved waits until the kernel has removed the device of a volume that is
// unmounted, after RemoveAtClose. If a process keeps the device open,
// WaitRemoved names it in a warning and stops waiting: the unmount has
// succeeded. was is the path on which the device was mounted.
func WaitRemoved(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume,
	is dm.Info, was string) {
	ref, name, object := dmname.VolumeRef(v.PoolUUID, v.ID), dmname.Volume(v.Spec()),
		v.Spec().String()
	isGone := is == dm.Info{}
	wait, cancel := s.Undoing(ctx)
	defer cancel()
	defer s.WaitingFor("the last close of " + c.NodePath(name))()
	info, found, err := engine.WaitOut(wait, was, func() (dm.Info, error) {
		if isGone {
			return is, c.WaitNodeGone(wait, ref, name)
		}
		return engine.WaitGoneBriefly(wait, c, ref, name)
	})
	switch {
	case engine.IsBusy(err):
		busy := engine.DeviceBusy(s, c, object, info, found)
		s.Warnf("%v: it is unmounted, and the device goes at its last close (%v)", busy,
			host.RemedyOf(busy))
	case err != nil:
		s.Warnf("%s: unmounted, but the device stays: %v", object, err)
	}
}
