package host

import (
	"context"
	"time"

	"thinmount/lib/fault"
)

// patience is how long a wait may be before the caller is told; busyWait bounds
// the wait for a device that somebody has open: udev's looking at it is over in
// moments, and all else takes as long as it likes.
const (
	patience = time.Second
	BusyWait = 10 * time.Second
)

// WaitingFor tells the caller what is waited for, a string or a fault.Message,
// unless done is called soon.
func (s *System) WaitingFor(what any) (done func()) {
	t := time.AfterFunc(patience, func() { s.Wait(fault.Sayf("waiting for %v", what)) })
	return func() { t.Stop() }
}

// Waiting derives the context that bounds every wait of one use case.
func (s *System) Waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.Deadline)
}

// Undoing derives a context for cleaning up after ctx may have ended: long
// enough for a device to be closed by udev, short enough not to hang.
func (s *System) Undoing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), min(s.Deadline, BusyWait))
}
