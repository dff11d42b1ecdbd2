package thin

import (
	"context"
	"errors"

	"thinmount/lib/filelock"
)

// waitError says what was waited for when a deadline or a signal ended it. All
// other errors only get the object.
func waitError(object string, err error) error {
	held, locked := errors.AsType[*filelock.HeldError](err)
	switch {
	case errors.Is(err, context.Canceled) && locked:
		return &Error{Object: object, Err: wrap(ErrInterrupt, retold{"interrupted while it waited for " + held.Who(), err})}
	case errors.Is(err, context.Canceled):
		return &Error{Object: object, Err: wrap(ErrInterrupt, err)}
	case errors.Is(err, context.DeadlineExceeded) && locked:
		return &Error{Object: object, Err: wrap(ErrBusy, retold{"gave up waiting for " + held.Who(), err}), Hint: "try again when it has finished"}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Object: object, Err: wrap(ErrBusy, err), Hint: "try again when it has finished"}
	}
	return &Error{Object: object, Err: err}
}

// retold is an error in other words.
type retold struct {
	text string
	err  error
}

func (r retold) Error() string { return r.text }
func (r retold) Unwrap() error { return r.err }
