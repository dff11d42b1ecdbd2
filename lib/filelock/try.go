package filelock

import (
	"errors"
	"fmt"
)

// ErrLocked says that another process, or another goroutine, holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryExclusive takes the lock if it is free now. Otherwise it returns ErrLocked
// at once.
func TryExclusive(path string) (*Lock, error) { return try(path, exclusive) }

// TryShared takes the lock, together with other sharers, if no process holds it
// exclusively now. Otherwise it returns ErrLocked at once. It does not queue
// behind the processes that wait: a caller that uses it in a loop can starve
// them.
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
