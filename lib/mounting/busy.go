package mounting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fuser"
	"thinmount/lib/mountinfo"
)

// unmountRetrying calls unmount, and calls it again for up to
// engine.PassingWait while it fails with EBUSY. It stops earlier if a process
// that held the mount at one look still holds it at the next: that process has
// come to stay. With EBUSY it returns the processes that hold the mount.
func (u *unmounting) unmountRetrying(
	ctx context.Context, top *mountinfo.Info, unmount func(context.Context) error,
) (found []fuser.Holder, err error) {
	until := time.Now().Add(engine.PassingWait)
	for {
		if err = unmount(ctx); !errors.Is(err, unix.EBUSY) {
			return nil, err
		}
		before := found
		found = u.holders(ctx, top)
		if engine.SameHolders(before, found) || time.Now().After(until) {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, err
		case <-time.After(engine.PassingPause):
		}
	}
}

// holders lists the processes that keep a mount from being unmounted, without
// the umount(8) that has called us. It looks for engine.HoldersWait at most.
func (u *unmounting) holders(ctx context.Context, top *mountinfo.Info) []fuser.Holder {
	ctx, cancel := context.WithTimeout(ctx, engine.HoldersWait)
	defer cancel()
	// The list is an addition to EBUSY. So a search that ran out of time is not
	// reported: the part that it found is enough.
	found, _ := fuser.Of(ctx, "/proc",
		fuser.Mount{ID: top.ID, Major: top.Major, Minor: top.Minor, Point: top.Mountpoint})
	return slices.DeleteFunc(found, engine.OurCaller)
}

// busyError returns ErrBusy with the names of the processes that keep the mount
// from being unmounted.
func (u *unmounting) busyError(found []fuser.Holder, err error) error {
	if len(found) > 0 {
		err = fmt.Errorf("%w: %s", err, fuser.Line(found, engine.MaxHolders))
	}
	return &fault.Error{Err: fault.Wrap(fault.ErrBusy, err),
		Remedy: fault.Hint("end what uses it; or umount -l " + fault.ShellPath(u.dir) +
			" detaches it now")}
}
