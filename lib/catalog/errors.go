package catalog

import (
	"fmt"
	"io/fs"
)

// Errors that callers tell apart with errors.Is. Both are fs.ErrNotExist.
var (
	ErrNoPool   error = &sentinel{"no such pool", fs.ErrNotExist}
	ErrNoVolume error = &sentinel{"no such volume", fs.ErrNotExist}
)

// errExist is fs.ErrExist with fewer words.
var errExist error = &sentinel{"exists already", fs.ErrExist}

// sentinel is an error that is another one as well.
type sentinel struct {
	text string
	is   error
}

func (e *sentinel) Error() string { return e.text }

func (e *sentinel) Unwrap() error { return e.is }

// CorruptError says that a file of the catalog does not hold what it should.
// Nothing is changed in a pool whose pool.json is corrupt.
type CorruptError struct {
	Path   string
	Reason string
}

// Error names the file first.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: damaged: %s", e.Path, e.Reason)
}

// MismatchError says that the kernel's pool is not where the catalog left it,
// and that no operation explains the difference: the catalog is an old copy,
// the pool's metadata has been put back or repaired, or somebody else has
// changed the pool. Nothing may be changed then.
type MismatchError struct {
	Pool    string
	Catalog uint64 // transaction id in pool.json
	Kernel  uint64 // transaction id of the kernel's pool
}

// Error tells both transaction ids.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("pool %s: the kernel's pool is at transaction id %d, pool.json at %d: "+
		"one of them is an old copy, or the pool was changed by others",
		e.Pool, e.Kernel, e.Catalog)
}
