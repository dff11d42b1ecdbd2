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
)

// lockedWait bounds the removal of a device while the pool's lock is held: of
// one that we, or a dead command, had open a moment ago. Nobody is waited for.
const lockedWait = time.Second

// RemoveDevice removes the device of a volume that is not in use, and waits
// for those who have it open in passing. The caller has the volume's lock and
// no pool's: he would keep everybody from the pool. Gone already is no error.
// A device that somebody keeps open is ErrBusy, and the error names him.
func RemoveDevice(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume) error {
	ref, name := dmname.VolumeRef(v.PoolUUID, v.ID), dmname.Volume(v.Pool, v.Name)
	defer s.WaitingFor("whoever has " + c.NodePath(name) + " open")()
	ctx, cancel := context.WithTimeout(ctx, host.BusyWait)
	defer cancel()
	info, found, err := WaitOut(ctx, "", func() (dm.Info, error) { return removeOnce(ctx, c, ref, PassingPause) })
	if IsBusy(err) {
		return DeviceBusy(s, c, v.Pool+"/"+v.Name, info, found)
	}
	if err != nil {
		return &fault.Error{Object: v.Pool + "/" + v.Name, Err: err}
	}
	registry.DropAlias(s, v.Pool, v.Name)
	return c.WaitGone(ctx, ref, name)
}

// WaitOut tries to see a device off until that is done, or until somebody is
// found who has come to stay, or until nobody who would go in a moment is left to
// wait for. Each try takes some time if the device is busy. With dm.ErrBusy come
// those who have it open. Was is where it was mounted, or "".
func WaitOut(ctx context.Context, was string, try func() (dm.Info, error)) (dm.Info, []fuser.Holder, error) {
	until := time.Now().Add(PassingWait)
	var found []fuser.Holder
	for {
		info, err := try()
		if !IsBusy(err) {
			return info, nil, err
		}
		before := found
		found = DeviceHolders(ctx, info.Dev, was)
		someUdev := slices.ContainsFunc(found, isUdev)
		if remains(before, found) || ctx.Err() != nil || time.Now().After(until) && !someUdev {
			return info, found, err
		}
	}
}

// removeOnce removes a device within a time, and resumes it first: one that is
// suspended would keep whoever has it open from closing it.
func removeOnce(ctx context.Context, c *dm.Control, ref dm.Ref, within time.Duration) (dm.Info, error) {
	info, err := c.Info(ref)
	if err == nil && info.Active() && info.Suspended() {
		registry.ResumeVolume(c, ref)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return info, c.Deactivate(ctx, ref)
}

// WaitGoneBriefly waits a moment for a device that goes at its last close. If that has
// not come, the error is dm.ErrBusy; if it has, the node is seen off, too.
func WaitGoneBriefly(ctx context.Context, c *dm.Control, ref dm.Ref, name string) (dm.Info, error) {
	for until := time.Now().Add(PassingPause); ; time.Sleep(2 * time.Millisecond) {
		info, err := c.Info(ref)
		switch {
		case errors.Is(err, dm.ErrNotExist):
			return info, c.WaitGone(ctx, ref, name)
		case err != nil:
			return info, err
		case time.Now().After(until):
			return info, dm.ErrBusy
		}
	}
}

// RemoveVolumeDevice is removeDevice for who has the pool's lock: it does not
// wait for others.
func (p *Pool) RemoveVolumeDevice(ctx context.Context, volume string, id uint32) error {
	ref, name := dmname.VolumeRef(p.UUID(), id), dmname.Volume(p.Name(), volume)
	info, err := removeOnce(ctx, p.DM, ref, lockedWait)
	if IsBusy(err) {
		return DeviceBusy(p.Sys, p.DM, p.Name()+"/"+volume, info, DeviceHolders(ctx, info.Dev, ""))
	}
	if err != nil {
		return &fault.Error{Object: p.Name() + "/" + volume, Err: err}
	}
	registry.DropAlias(p.Sys, p.Name(), volume)
	ctx, cancel := context.WithTimeout(ctx, host.BusyWait)
	defer cancel()
	return p.DM.WaitGone(ctx, ref, name)
}
