package thin

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/moby/sys/mountinfo"

	"thinmount/lib/holders"
)

// holdersWait bounds the search for holders where there are very many processes;
// maxHolders is how many of them a line has room for.
const (
	holdersWait = 5 * time.Second
	maxHolders  = 5
)

// busy says who keeps a mount from being unmounted.
func (u *unmounting) busy(ctx context.Context, top *mountinfo.Info, err error) error {
	ctx, cancel := context.WithTimeout(ctx, holdersWait)
	defer cancel()
	// What it did not come to in time is not worth an error of its own.
	found, _ := holders.Of(ctx, "/proc", holders.Mount{ID: top.ID, Major: top.Major, Minor: top.Minor, Point: top.Mountpoint})
	found = slices.DeleteFunc(found, ourCaller)
	if len(found) > 0 {
		err = fmt.Errorf("%w: %s", err, holders.Line(found, maxHolders))
	}
	return &Error{Err: wrap(ErrBusy, err), Hint: "end what uses it; or umount -l " + u.dir + " detaches it now"}
}

// ourCaller is the umount(8) that has called us: what it has open it has from the
// shell, which is named as well.
func ourCaller(h holders.Holder) bool { return h.PID == os.Getppid() && h.Command == "umount" }
