package thin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/holders"
	"thinmount/lib/mountinfo"
)

// holdersWait bounds the search for holders where there are very many processes;
// maxHolders is how many of them a line has room for.
const (
	holdersWait = 5 * time.Second
	maxHolders  = 5
)

// passingWait is how long a mount may be busy by nobody who stays: somebody had it
// open when the kernel looked, and no more when we did (systemd walks over all
// mounts when it sets up a service); or a thing is in the way that no process has,
// such as a descriptor under way in a socket. Who holds it at two looks that are
// passingPause apart has come to stay.
const (
	passingWait  = 2 * time.Second
	passingPause = 100 * time.Millisecond
)

// patiently unmounts, and tries again for a while where that is refused with
// EBUSY and nobody stays who holds the mount. With EBUSY come those who do.
func (u *unmounting) patiently(ctx context.Context, top *mountinfo.Info, unmount func() error) (found []holders.Holder, err error) {
	until := time.Now().Add(passingWait)
	for {
		if err = unmount(); !errors.Is(err, unix.EBUSY) {
			return nil, err
		}
		before := found
		found = u.holders(ctx, top)
		if stays(before, found) || time.Now().After(until) {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, err
		case <-time.After(passingPause):
		}
	}
}

// stays tells whether one who was seen holding the mount is seen again.
func stays(before, now []holders.Holder) bool {
	return slices.ContainsFunc(now, func(h holders.Holder) bool {
		return slices.ContainsFunc(before, func(b holders.Holder) bool { return b.PID == h.PID && b.Command == h.Command })
	})
}

// holders are those who keep a mount from being unmounted.
func (u *unmounting) holders(ctx context.Context, top *mountinfo.Info) []holders.Holder {
	ctx, cancel := context.WithTimeout(ctx, holdersWait)
	defer cancel()
	// What it did not come to in time is not worth an error of its own.
	found, _ := holders.Of(ctx, "/proc", holders.Mount{ID: top.ID, Major: top.Major, Minor: top.Minor, Point: top.Mountpoint})
	return slices.DeleteFunc(found, ourCaller)
}

// busy says who keeps a mount from being unmounted.
func (u *unmounting) busy(found []holders.Holder, err error) error {
	if len(found) > 0 {
		err = fmt.Errorf("%w: %s", err, holders.Line(found, maxHolders))
	}
	return &Error{Err: wrap(ErrBusy, err), Hint: "end what uses it; or umount -l " + shellPath(u.dir) + " detaches it now"}
}

// ourCaller is the umount(8) that has called us: what it has open it has from the
// shell, which is named as well.
func ourCaller(h holders.Holder) bool { return h.PID == os.Getppid() && h.Command == "umount" }
