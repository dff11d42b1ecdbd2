package fault

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/filelock"
)

// The kinds of errors, by which a caller decides, for example on its exit code.
// An error of a use case wraps one of them if a kind fits. Below the kind it
// wraps the errno if there is one.
var (
	ErrUsage      = errors.New("usage")
	ErrPermission = errors.New("only root can do that")
	ErrNoKernel   = errors.New("kernel support is missing")
	ErrNotFound   = errors.New("not found")
	ErrExists     = errors.New("exists already")
	ErrBusy       = errors.New("busy")
	ErrPoolState  = errors.New("pool cannot do that now")
	ErrInterrupt  = errors.New("interrupted")

	// ErrCopy says that the folder in which a pool was looked for holds a copy
	// of another pool. An error that is ErrCopy is ErrNotFound, too.
	ErrCopy = errors.New("a copy of a pool")
	// ErrNoBacking says that a disk or file of a pool is not there. An error
	// that is ErrNoBacking is ErrPoolState, too.
	ErrNoBacking = errors.New("a disk or file of the pool is missing")
)

// Error names the object first, then the reason. It carries the remedy as a
// value. The program puts that value into words.
type Error struct {
	Object string // "demo/base", "pool demo", "/mnt"; may be empty
	Err    error
	Remedy Remedy // nil if no remedy is known
}

// Error returns the object and the reason, or the reason alone if Object is
// empty.
func (e *Error) Error() string {
	if e.Object == "" {
		return e.Err.Error()
	}
	return e.Object + ": " + e.Err.Error()
}

// Unwrap returns the reason, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// kinded is err with a kind added, which errors.Is finds. Its text is that of
// err.
type kinded struct{ kind, err error }

func (k kinded) Error() string { return k.err.Error() }

func (k kinded) Unwrap() []error { return []error{k.kind, k.err} }

// Wrap returns an error that errors.Is finds to be both kind and err. Its text
// is that of err.
func Wrap(kind, err error) error { return kinded{kind, err} }

// Errorf makes an error of a kind. Its text is made of format and args, as by
// fmt.Errorf, and does not contain the text of the kind.
func Errorf(kind error, format string, args ...any) error {
	return kinded{kind, fmt.Errorf(format, args...)}
}

// WaitError puts the object before err. If a signal ended a wait, the error is
// ErrInterrupt. If a deadline ended it, the error is ErrBusy. If the wait was
// for a lock, the text names the process that held the lock.
func WaitError(object string, err error) error {
	held, locked := errors.AsType[*filelock.HeldError](err)
	switch {
	case errors.Is(err, context.Canceled) && locked:
		return &Error{
			Object: object,
			Err: Wrap(ErrInterrupt,
				Retold{"interrupted while it waited for " + held.Who(), err}),
		}
	case errors.Is(err, context.Canceled):
		return &Error{Object: object, Err: Wrap(ErrInterrupt, err)}
	case errors.Is(err, context.DeadlineExceeded) && locked:
		return &Error{
			Object: object,
			Err:    Wrap(ErrBusy, Retold{"gave up waiting for " + held.Who(), err}),
			Remedy: Hint("try again when it has finished"),
		}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{
			Object: object,
			Err:    Wrap(ErrBusy, err),
			Remedy: Hint("try again when it has finished"),
		}
	}
	return &Error{Object: object, Err: err}
}

// Retold is an error whose text is replaced by Text. errors.Is and errors.As
// still find Err.
type Retold struct {
	Text string
	Err  error
}

func (r Retold) Error() string { return r.Text }

func (r Retold) Unwrap() error { return r.Err }
