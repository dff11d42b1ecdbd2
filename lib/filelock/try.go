package filelock

import (
	"errors"
	"fmt"
)

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryExclusive takes the lock if nobody holds it now, and gives ErrLocked at
// once otherwise.
func TryExclusive(path string) (*Lock, error) { return try(path, exclusive) }

// TryShared takes the lock along with other sharers if nobody holds it
// exclusively now, and gives ErrLocked at once otherwise. It does not stand in
// line behind those who wait: whoever uses it in a loop can starve them.
func TryShared(path string) (*Lock, error) { return try(path, shared) }

func try(path string, m mode) (*Lock, error) {
	for {
		f := open(path)
		ok, err := m.try(f)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("%s: %w", path, ErrLocked)
		}
		if valid, err := settle(f, path); valid || err != nil {
			return held(f, path, m, err)
		}
	}
}
