package mount

import (
	"errors"
	"io/fs"
	"os"
)

// OptionError is an option that the filesystem does not take.
type OptionError struct {
	Option string
	Err    error // of the kernel
}

// Error names the option first.
func (e *OptionError) Error() string { return "option " + e.Option + ": " + e.Err.Error() }

// Unwrap returns the kernel's error.
func (e *OptionError) Unwrap() error { return e.Err }

// ErrNoProc says that a mount point cannot be told from another, since there is
// no /proc to ask.
var ErrNoProc = errors.New("/proc is not mounted")

// moved is ErrMoved, unless that is because nothing could be asked: err is the
// error of asking /proc, or nil.
func moved(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat("/proc/self"); err != nil {
			return ErrNoProc
		}
	}
	return ErrMoved
}
