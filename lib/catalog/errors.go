package catalog

import (
	"fmt"
	"io/fs"
)

// Errors that callers tell apart with errors.Is. Each of them is
// fs.ErrNotExist, too.
var (
	ErrNoPool   error = &sentinel{"no such pool", fs.ErrNotExist}
	ErrNoVolume error = &sentinel{"no such volume", fs.ErrNotExist}
)

// errExist is fs.ErrExist with a shorter text.
var errExist error = &sentinel{"exists already", fs.ErrExist}

// sentinel is an error with a text of its own that is another error as well.
type sentinel struct {
	text string
	is   error
}

func (e *sentinel) Error() string { return e.text }

func (e *sentinel) Unwrap() error { return e.is }

// CorruptError says that a file of the catalog does not hold what it should.
// While pool.json is corrupt, no command changes anything in the pool.
type CorruptError struct {
	Path   string
	Reason string

	unfit bool // other users can write it, or it is no file: the power did not do that
}

// Error names the file first.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: damaged: %s", e.Path, e.Reason)
}

// MismatchError says that the kernel's pool has another transaction id than the
// catalog, and that no intent explains the difference. The catalog may be an
// old copy, the pool's metadata may have been put back or repaired, or another
// program may have changed the pool. No command may change anything then.
type MismatchError struct {
	Pool    string
	Catalog uint64 // transaction id in the journal
	Kernel  uint64 // transaction id of the kernel's pool
}

// Error names both transaction ids.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("pool %s: the kernel's pool is at transaction id %d, the journal at %d: "+
		"one of them is an old copy, or the pool was changed by others",
		e.Pool, e.Kernel, e.Catalog)
}
