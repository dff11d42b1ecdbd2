package volumes

import (
	"context"
	"errors"
	"os"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/freeze"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// sendSnapshot returns a function that sends create_snap to the pool, with the
// active origin suspended around it. The caller holds the origin's lock, so no
// other command mounts or unmounts the origin, or activates one that is not
// active. If the origin's device disappears in between, sendSnapshot treats the
// origin as inactive. dir is where the origin is mounted, or "".
func sendSnapshot(
	ctx context.Context, p *engine.Pool, o catalog.Volume, dir string,
) func(spec.ID) error {
	ref := dmname.VolumeRef(p.UUID(), o.ID)
	return func(id spec.ID) error {
		send := func() error { return p.Target.CreateSnapshot(id, o.ID) }
		info, err := p.DM.Info(ref)
		if errors.Is(err, dm.ErrNotExist) || err == nil && !info.Active() {
			return send()
		}
		if err != nil {
			return err
		}
		err = standStill(ctx, p, o, send)
		if errors.Is(err, dm.ErrNotExist) {
			return send()
		}
		return standstillError(p, err, dir)
	}
}

// standStill calls send while the origin is suspended and the filesystems above
// it are frozen. It warns of each filesystem or device above that could not be
// frozen: the snapshot has it as a power cut would leave it.
func standStill(ctx context.Context, p *engine.Pool, o catalog.Volume, send func() error) error {
	a := registry.LookAbove(p.Sys, p.DM, o)
	defer a.Close()
	r := freeze.Request{Device: dmname.VolumeRef(p.UUID(), o.ID), Udev: host.VolumeCookie,
		Limit: p.Catalog.Pool().FreezeLimit(), Above: a.Dirs}
	if len(a.Dirs) > 0 {
		if err := registry.Mark(p.Sys, o); err != nil {
			return err
		}
	}
	loose, err := freeze.Suspended(ctx, p.DM, r, send)
	// If ctx has ended, the watcher may still work on these filesystems. Then
	// the mark stays.
	if len(a.Dirs) > 0 && ctx.Err() == nil {
		os.Remove(registry.FrozenMark(p.Sys, o))
	}
	for _, f := range loose {
		p.Sys.Warnf(
			"%s: what lies on it and is mounted on %s cannot be frozen, so it is in the "+
				"snapshot as a power cut would leave it",
			o.Spec(), f.Name())
	}
	for _, name := range a.Bare {
		p.Sys.Warnf(
			"%s: /dev/%s lies on it and is in use without a filesystem that could be frozen, "+
				"so it is in the snapshot as a power cut would leave it",
			o.Spec(), name)
	}
	return err
}

// standstillError puts an error of standStill into words: why the origin did
// not stand still until the snapshot was made. After such an error there is no
// snapshot.
func standstillError(p *engine.Pool, err error, dir string) error {
	var resumed *freeze.ResumedError
	var higher *freeze.AboveError
	switch {
	case errors.As(err, &resumed) && resumed.TooLong():
		return &fault.Error{Err: fault.Errorf(fault.ErrBusy,
			"no snapshot: the pool took %v to commit it, and writers of its origin wait for %v "+
				"at most",
			resumed.Took.Round(10*time.Millisecond), resumed.Limit),
			Remedy: fault.Sayf(
				"try again when its disks are less busy, or let writers wait for longer: %v",
				fault.SetFreezeLimit{Pool: p.Name(),
					Limit: min(4*resumed.Limit, catalog.MaxFreezeLimit)})}
	case errors.As(err, &resumed):
		return &fault.Error{Err: fault.Errorf(fault.ErrBusy,
			"no snapshot: another program has resumed its origin in between"),
			Remedy: fault.Hint("try again")}
	case errors.As(err, &higher) && errors.Is(err, freeze.ErrFrozen):
		return &fault.Error{Err: fault.Errorf(fault.ErrBusy,
			"what lies on its origin is frozen by somebody"),
			Remedy: fault.Hint("fsfreeze -u " + fault.ShellPath(higher.Path))}
	case errors.Is(err, freeze.ErrFrozen):
		e := &fault.Error{Err: fault.Errorf(fault.ErrBusy,
			"its origin's filesystem is frozen by somebody")}
		if dir != "" {
			e.Remedy = fault.Hint("fsfreeze -u " + fault.ShellPath(dir))
		}
		return e
	}
	return err
}
