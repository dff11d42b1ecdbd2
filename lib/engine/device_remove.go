package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fuser"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// lockedWait limits the wait until a device is closed while the pool's lock is
// held. It is for a device that this command, or a dead one, had open until a
// moment ago, and not for other processes.
const lockedWait = time.Second

// RemoveDevice removes the device of a volume that is not in use, and waits for
// processes that have it open for a moment. The caller holds the volume's lock.
// It does not hold the pool's lock, because this wait would keep others from
// the pool. If there is no such device, RemoveDevice returns nil. If a process
// keeps the device open, the error is ErrBusy and names that process.
func RemoveDevice(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume) error {
	ref, name := dmname.VolumeRef(v.PoolUUID, v.ID), dmname.Volume(v.Spec())
	defer s.WaitingFor("the last close of " + c.NodePath(name))()
	ctx, cancel := context.WithTimeout(ctx, host.BusyWait)
	defer cancel()
	info, found, err := WaitOut(ctx, "",
		func() (dm.Info, error) { return removeOnce(ctx, c, ref, PassingPause) })
	if IsBusy(err) {
		return DeviceBusy(s, c, v.Spec().String(), info, found)
	}
	if err != nil {
		return &fault.Error{Object: v.Spec().String(), Err: err}
	}
	// Since the volume's lock is held, no command has made the device and its
	// alias anew.
	registry.DropAlias(s, v.Spec())
	return c.WaitGone(ctx, ref, name)
}

// WaitOut calls try, which is to remove a device, until it succeeds. If the
// device is busy, try takes some time by itself. WaitOut gives up if a holder
// stays (see remains), if ctx ends, or after PassingWait if udev is not among
// the holders. The error is dm.ErrBusy then, and WaitOut returns the holders.
// was is the path on which the device was mounted, or "".
func WaitOut(
	ctx context.Context, was string, try func() (dm.Info, error),
) (dm.Info, []fuser.Holder, error) {
	until := time.Now().Add(PassingWait)
	var found []fuser.Holder
	for {
		info, err := try()
		if !IsBusy(err) {
			return info, nil, err
		}
		// The search itself takes time, in which a holder may have closed the
		// device: only one that is found twice counts.
		before := found
		found = DeviceHolders(ctx, info.Dev, was)
		someUdev := slices.ContainsFunc(found, isUdev)
		if remains(before, found) || ctx.Err() != nil || time.Now().After(until) && !someUdev {
			return info, found, err
		}
	}
}

// removeOnce removes a device if it is closed within the given time. It first
// resumes a suspended device: a process that has it open could not close it
// otherwise. If it is open for longer, the error is dm.ErrBusy. info is the
// device's state before.
func removeOnce(
	ctx context.Context, c *dm.Control, ref dm.Ref, within time.Duration,
) (dm.Info, error) {
	info, err := c.Info(ref)
	if err == nil && info.Active() && info.Suspended() {
		registry.ResumeVolume(c, ref)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return info, c.Deactivate(ctx, ref)
}

// WaitGoneBriefly waits for at most PassingPause until the kernel has removed a
// device at its last close, and then until its node is gone. If the device is
// still there, the error is dm.ErrBusy.
func WaitGoneBriefly(ctx context.Context, c *dm.Control, ref dm.Ref, name string) (dm.Info, error) {
	for until := time.Now().Add(PassingPause); ; time.Sleep(2 * time.Millisecond) {
		info, err := c.Info(ref)
		switch {
		case errors.Is(err, dm.ErrNotExist):
			return info, c.WaitNodeGone(ctx, ref, name)
		case err != nil:
			return info, err
		case time.Now().After(until):
			return info, dm.ErrBusy
		}
		// The Control may remember answers, and the kernel removes the device
		// by itself.
		c.Forget()
	}
}

// RemoveVolumeDevice does what RemoveDevice does, for a caller that holds the
// pool's lock: it waits for lockedWait at most, and then returns ErrBusy. The
// time is short because every other command on the pool waits for that lock.
func (p *Pool) RemoveVolumeDevice(ctx context.Context, volume string, id spec.ID) error {
	v := p.Volume(volume)
	ref, name := dmname.VolumeRef(p.UUID(), id), dmname.Volume(v)
	info, err := removeOnce(ctx, p.DM, ref, lockedWait)
	if IsBusy(err) {
		return DeviceBusy(p.Sys, p.DM, v.String(), info, DeviceHolders(ctx, info.Dev, ""))
	}
	if err != nil {
		return &fault.Error{Object: v.String(), Err: err}
	}
	registry.DropAlias(p.Sys, v)
	ctx, cancel := context.WithTimeout(ctx, host.BusyWait)
	defer cancel()
	return p.DM.WaitGone(ctx, ref, name)
}
