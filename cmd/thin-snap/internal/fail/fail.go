// Package fail has the errors of thin-snap, and the exit status of each.
package fail

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/signals"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

// Exit statuses, as in EXIT STATUS of thin-snap(8).
const (
	exitFailed   = 1
	ExitUsage    = 2
	exitPartial  = 3
	exitNotFound = 4
	exitBusy     = 5
	exitPool     = 6
	ExitRun      = 125
	exitSignal   = 128
)

// NotRoot returns the error for a user who is not root.
func NotRoot(command string) error {
	return &thin.Error{Object: command, Err: errNotRoot, Remedy: thin.RunAsRoot{}}
}

var errNotRoot = errors.New("only root can do that")

// opError is an error with the text "cannot VERB OBJECT: reason".
type opError struct {
	verb, object string
	err          error
}

func (e *opError) Unwrap() error { return e.err }

func (e *opError) Error() string {
	reason := thin.Text(e.err)
	if errors.Is(e.err, context.Canceled) {
		reason = "interrupted"
	}
	// The reason may begin with the object, too. Name the object once.
	object := e.object
	if rest, ok := strings.CutPrefix(reason, "pool "+object+": "); ok {
		object, reason = "pool "+object, rest
	}
	reason = strings.TrimPrefix(reason, object+": ")
	return strings.TrimSpace("cannot "+e.verb+" "+object) + ": " + reason
}

// Cannot returns an opError, or nil if err is nil.
func Cannot(verb, object string, err error) error {
	if err == nil {
		return nil
	}
	return &opError{verb, object, err}
}

// Problems returns what choose.Find has found wrong as errors of a command.
func Problems(verb string, all []choose.Problem) (errs []error) {
	for _, p := range all {
		errs = append(errs, Cannot(verb, p.Object, p.Err))
	}
	return errs
}

// OutputError says that standard output could not be written. Hints about pools
// do not help against that, so it has none.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return "cannot write standard output: " + e.Err.Error() }
func (e *OutputError) Unwrap() error { return e.Err }

// NoHint keeps package say from giving a hint.
func (e *OutputError) NoHint() {}

// ProgramError is the exit status of run: that of the program, or of a failure
// of our own. Without a failure of our own Err is nil: the program has said
// what is wrong.
type ProgramError struct {
	Status int
	Err    error
}

// Unwrap returns the failure of our own.
func (e *ProgramError) Unwrap() error { return e.Err }

func (e *ProgramError) Error() string {
	if e.Err == nil {
		return "the program has exit status " + strconv.Itoa(e.Status)
	}
	return e.Err.Error()
}

// severalError has the errors of some of several names. done counts the others.
type severalError struct {
	errs []error
	done int
}

// Several returns a severalError; nil without errors; or one error as it is.
func Several(errs []error, done int) error {
	switch {
	case len(errs) == 0:
		return nil
	case len(errs) == 1 && done == 0:
		return errs[0]
	}
	return &severalError{errs, done}
}

func (e *severalError) Unwrap() []error { return e.errs }
func (e *severalError) Error() string   { return errors.Join(e.errs...).Error() }

// Code returns the exit status for err.
func Code(err error) int {
	var (
		some  *severalError
		sig   *signals.Error
		wrong *usage.Error
		ended *ProgramError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.Status
	case errors.As(err, &sig):
		return exitSignal + int(sig.Signal)
	case errors.As(err, &some) && some.done > 0:
		return exitPartial
	case some != nil:
		return Code(some.errs[0])
	case errors.As(err, &wrong), errors.Is(err, thin.ErrUsage):
		return ExitUsage
	case errors.Is(err, thin.ErrNotFound):
		return exitNotFound
	case errors.Is(err, thin.ErrBusy), errors.Is(err, thin.ErrExists):
		return exitBusy
	case errors.Is(err, thin.ErrPoolState):
		return exitPool
	}
	return exitFailed
}
