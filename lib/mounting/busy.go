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

// unmountRetrying unmounts, and tries again for a while where that is refused with
// EBUSY and nobody stays who holds the mount. With EBUSY come those who do.
func (u *unmounting) unmountRetrying(ctx context.Context, top *mountinfo.Info, unmount func(context.Context) error) (found []fuser.Holder, err error) {
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

// holders are those who keep a mount from being unmounted.
func (u *unmounting) holders(ctx context.Context, top *mountinfo.Info) []fuser.Holder {
	ctx, cancel := context.WithTimeout(ctx, engine.HoldersWait)
	defer cancel()
	// What it did not come to in time is not worth an error of its own.
	found, _ := fuser.Of(ctx, "/proc", fuser.Mount{ID: top.ID, Major: top.Major, Minor: top.Minor, Point: top.Mountpoint})
	return slices.DeleteFunc(found, engine.OurCaller)
}

// busyError says who keeps a mount from being unmounted.
func (u *unmounting) busyError(found []fuser.Holder, err error) error {
	if len(found) > 0 {
		err = fmt.Errorf("%w: %s", err, fuser.Line(found, engine.MaxHolders))
	}
	return &fault.Error{Err: fault.Wrap(fault.ErrBusy, err), Remedy: fault.Hint("end what uses it; or umount -l " + fault.ShellPath(u.dir) + " detaches it now")}
}
