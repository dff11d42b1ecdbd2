package fault

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/filelock"
)

// What can go wrong, as far as a caller decides by it (exit codes). Errors of
// this package wrap one of these, and below it the errno where there is one.
var (
	ErrUsage      = errors.New("usage")
	ErrPermission = errors.New("only root can do that")
	ErrNoKernel   = errors.New("kernel support is missing")
	ErrNotFound   = errors.New("not found")
	ErrExists     = errors.New("exists already")
	ErrBusy       = errors.New("busy")
	ErrPoolState  = errors.New("pool cannot do that now")
	ErrInterrupt  = errors.New("interrupted")

	// ErrCopy is ErrNotFound of a folder that holds the copy of a pool.
	ErrCopy = errors.New("a copy of a pool")
	// ErrNoBacking is ErrPoolState of a pool whose disk or file is not there.
	ErrNoBacking = errors.New("a disk or file of the pool is missing")
)

// Error names the object first, then the reason, and carries what helps, which the
// program puts into words.
type Error struct {
	Object string // "demo/base", "pool demo", "/mnt"; may be empty
	Err    error
	Remedy Remedy // nil where that is not known
}

// Error implements error.
func (e *Error) Error() string {
	if e.Object == "" {
		return e.Err.Error()
	}
	return e.Object + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// kinded is err, counted among kind by errors.Is, without changing its text.
type kinded struct{ kind, err error }

func (k kinded) Error() string { return k.err.Error() }

func (k kinded) Unwrap() []error { return []error{k.kind, k.err} }

// Wrap makes err also a kind. Its text stays err's.
func Wrap(kind, err error) error { return kinded{kind, err} }

// Errorf makes an error of a kind with a text of its own.
func Errorf(kind error, format string, args ...any) error {
	return kinded{kind, fmt.Errorf(format, args...)}
}

// WaitError says what was waited for when a deadline or a signal ended it. All
// other errors only get the object.
func WaitError(object string, err error) error {
	held, locked := errors.AsType[*filelock.HeldError](err)
	switch {
	case errors.Is(err, context.Canceled) && locked:
		return &Error{Object: object, Err: Wrap(ErrInterrupt, Retold{"interrupted while it waited for " + held.Who(), err})}
	case errors.Is(err, context.Canceled):
		return &Error{Object: object, Err: Wrap(ErrInterrupt, err)}
	case errors.Is(err, context.DeadlineExceeded) && locked:
		return &Error{Object: object, Err: Wrap(ErrBusy, Retold{"gave up waiting for " + held.Who(), err}), Remedy: Hint("try again when it has finished")}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Object: object, Err: Wrap(ErrBusy, err), Remedy: Hint("try again when it has finished")}
	}
	return &Error{Object: object, Err: err}
}

// Retold is an error in other words.
type Retold struct {
	Text string
	Err  error
}

func (r Retold) Error() string { return r.Text }

func (r Retold) Unwrap() error { return r.Err }
