// Package signals turns signals into the end of a context, and SIGPIPE into
// nothing.
package signals

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"thinmount/lib/helper"
)

// Error is the cause of a context that a signal has ended.
type Error struct{ Signal unix.Signal }

func (e *Error) Error() string { return "interrupted by " + unix.SignalName(e.Signal) }

// Unwrap makes errors.Is find context.Canceled.
func (e *Error) Unwrap() error { return context.Canceled }

// Context returns a context that the first SIGINT or SIGTERM ends. The second
// one ends the process, as if it were not caught.
func Context(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	caught := make(chan os.Signal, 1)
	helper.Notify(caught, unix.SIGINT, unix.SIGTERM)
	go func() {
		select {
		case sig := <-caught:
			signal.Stop(caught)
			cancel(&Error{sig.(unix.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// Of returns the signal that ended ctx, or nil.
func Of(ctx context.Context) *Error {
	var sig *Error
	errors.As(context.Cause(ctx), &sig)
	return sig
}
