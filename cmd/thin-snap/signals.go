package main

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal unix.Signal }

func (e *signalError) Error() string { return "interrupted by " + unix.SignalName(e.signal) }

// Unwrap lets code that asks for a cancelled context find one.
func (e *signalError) Unwrap() error { return context.Canceled }

// signalContext is a context that the first SIGINT or SIGTERM ends; the second
// one kills as if nobody had caught it.
func signalContext(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGINT, unix.SIGTERM)
	go func() {
		select {
		case sig := <-caught:
			signal.Stop(caught)
			cancel(&signalError{sig.(unix.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(caught); cancel(nil) }
}

// signalOf is the signal that ended ctx, nil if none did.
func signalOf(ctx context.Context) *signalError {
	var sig *signalError
	errors.As(context.Cause(ctx), &sig)
	return sig
}
