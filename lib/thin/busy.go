package thin

import (
	"context"
	"fmt"
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
	found := holders.Of(ctx, "/proc", holders.Mount{ID: top.ID, Dir: top.Mountpoint})
	if len(found) > 0 {
		err = fmt.Errorf("%w: %s", err, holders.Line(found, maxHolders))
	}
	return &Error{Err: wrap(ErrBusy, err), Hint: "end what uses it; or umount -l " + u.dir + " detaches it now"}
}
