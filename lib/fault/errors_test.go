package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// A wrapped error matches its kind and its errno. Its text is that of the
// reason alone.
func TestWrapKeepsErrnoAndText(t *testing.T) {
	err := &Error{Object: "demo/base", Err: Wrap(ErrBusy, fmt.Errorf("remove: %w", unix.EBUSY))}
	if !errors.Is(err, ErrBusy) || !errors.Is(err, unix.EBUSY) || errors.Is(err, ErrExists) {
		t.Error("kind or errno is lost")
	}
	if got, want := err.Error(), "demo/base: remove: device or resource busy"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWaitError(t *testing.T) {
	for cause, kind := range map[error]error{
		context.Canceled: ErrInterrupt, context.DeadlineExceeded: ErrBusy,
	} {
		if err := WaitError("pool p", fmt.Errorf("lock: %w", cause)); !errors.Is(err, kind) ||
			!errors.Is(err, cause) {
			t.Errorf("%v is not %v", err, kind)
		}
	}
	if err := WaitError("pool p", unix.ENOSPC); !errors.Is(err, unix.ENOSPC) ||
		errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}
