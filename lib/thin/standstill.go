package thin

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/freeze"
	"thinmount/lib/thinpool"
)

// sendSnapshot sends create_snap, with an active origin suspended around it.
// Nobody else activates, mounts or unmounts the origin meanwhile: its lock is
// ours. A device that goes away by itself just now is inactive. Dir is where the
// origin is mounted, or "".
func (p *pool) sendSnapshot(ctx context.Context, o catalog.Volume, dir string) func(thinpool.ID) error {
	ref := volumeRef(p.uuid(), o.ID)
	return func(id thinpool.ID) error {
		send := func() error { return p.thin.CreateSnapshot(id, thinpool.ID(o.ID)) }
		info, err := p.dm.Info(ref)
		if errors.Is(err, dm.ErrNotExist) || err == nil && !info.Active() {
			return send()
		}
		if err != nil {
			return err
		}
		err = p.standStill(ctx, o, send)
		if errors.Is(err, dm.ErrNotExist) {
			return send()
		}
		return p.standstillError(err, dir)
	}
}

// standStill calls send while the origin is suspended, and the filesystems above
// it are frozen. It warns of what could not be brought to a stand: in the snapshot
// that is as a power cut would have left it.
func (p *pool) standStill(ctx context.Context, o catalog.Volume, send func() error) error {
	a := p.sys.lookAbove(p.dm, o)
	defer a.close()
	r := freeze.Request{Device: volumeRef(p.uuid(), o.ID), Udev: volumeCookie, Limit: p.cat.Pool().FreezeLimit(), Above: a.dirs}
	if len(a.dirs) > 0 {
		if err := p.sys.mark(o); err != nil {
			return err
		}
	}
	loose, err := freeze.Suspended(ctx, p.dm, r, send)
	if len(a.dirs) > 0 && ctx.Err() == nil { // else the watcher may still be at it
		os.Remove(p.sys.frozenMark(o))
	}
	for _, f := range loose {
		p.sys.warn("%s/%s: what lies on it and is mounted on %s cannot be frozen, so it is in the snapshot as a power cut would leave it",
			o.Pool, o.Name, f.Name())
	}
	for _, name := range a.bare {
		p.sys.warn("%s/%s: /dev/%s lies on it and is in use without a filesystem that could be frozen, so it is in the snapshot as a power cut would leave it",
			o.Pool, o.Name, name)
	}
	return err
}

// standstillError says what kept the origin from standing still until the
// snapshot was made. None was made then.
func (p *pool) standstillError(err error, dir string) error {
	var resumed *freeze.ResumedError
	var higher *freeze.AboveError
	switch {
	case errors.As(err, &resumed) && resumed.TooLong():
		return &Error{Err: reason(ErrBusy, "no snapshot: the pool took %v to commit it, and writers of its origin wait for %v at most",
			resumed.Took.Round(10*time.Millisecond), resumed.Limit),
			Hint: "try again when its disks are less busy, or let writers wait for longer: thin-snap pool set freeze-limit=" +
				secondsText(min(4*resumed.Limit, catalog.MaxFreezeLimit)) + " " + p.name()}
	case errors.As(err, &resumed):
		return &Error{Err: reason(ErrBusy, "no snapshot: another program has resumed its origin in between"), Hint: "try again"}
	case errors.As(err, &higher) && errors.Is(err, freeze.ErrFrozen):
		return &Error{Err: reason(ErrBusy, "what lies on its origin is frozen by somebody"), Hint: "fsfreeze -u " + shellPath(higher.Path)}
	case errors.Is(err, freeze.ErrFrozen):
		e := &Error{Err: reason(ErrBusy, "its origin's filesystem is frozen by somebody")}
		if dir != "" {
			e.Hint = "fsfreeze -u " + shellPath(dir)
		}
		return e
	}
	return err
}

// secondsText is a time in whole seconds, as pool set takes it.
func secondsText(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + "s" }
