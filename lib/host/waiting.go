package host

import (
	"context"
	"time"

	"thinmount/lib/fault"
)

// patience is how long a wait may take before the caller hears of it. BusyWait
// limits the wait until a device that a process has open is closed. It is long
// enough for udev, which closes a device soon; other processes keep a device
// open for any time.
const (
	patience = time.Second
	BusyWait = 10 * time.Second
)

// WaitingFor passes what (a string or a fault.Message) to Wait unless done is
// called within a second.
func (s *System) WaitingFor(what any) (done func()) {
	t := time.AfterFunc(patience, func() { s.Wait(fault.Sayf("waiting for %v", what)) })
	return func() { t.Stop() }
}

// Waiting derives a context that ends after Deadline. It limits all waits of
// one use case.
func (s *System) Waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.Deadline)
}

// Undoing derives a context for cleaning up, which goes on if ctx has ended. It
// lasts long enough for udev to close a device, and is short enough not to
// hang.
func (s *System) Undoing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), min(s.Deadline, BusyWait))
}
