package main

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"thinmount/lib/helper"
)

// signalError is the cause of a context that a signal has ended.
type signalError struct{ signal unix.Signal }

func (e *signalError) Error() string { return "interrupted by " + unix.SignalName(e.signal) }

// Unwrap makes errors.Is find context.Canceled.
func (e *signalError) Unwrap() error { return context.Canceled }

// signalContext returns a context that the first SIGINT or SIGTERM ends. The
// second one ends the process, as if it were not caught.
func signalContext(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	caught := make(chan os.Signal, 1)
	helper.Notify(caught, unix.SIGINT, unix.SIGTERM)
	go func() {
		select {
		case sig := <-caught:
			signal.Stop(caught)
			cancel(&signalError{sig.(unix.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// signalOf returns the signal that ended ctx, or nil.
func signalOf(ctx context.Context) *signalError {
	var sig *signalError
	errors.As(context.Cause(ctx), &sig)
	return sig
}
