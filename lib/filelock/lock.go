// Package filelock locks files with flock(2) against other processes (and other
// goroutines of this one), with a deadline.
//
// The lock belongs to an open file: the kernel frees it when the process dies,
// whatever it died of. Waiting is blocking, not polling, so the kernel serves
// the waiters in the order in which they came. Do not use it on network
// filesystems, where flock may be local to the host or missing, nor to lock a
// file that carries data: lock files may be unlinked (Remove) and come back
// empty.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// Lock is a lock that is held. It is for one goroutine, as a file is.
type Lock struct {
	path   string
	file   *flock.Flock
	shared bool
}

// Exclusive waits until nobody else holds the lock file path, shared or
// exclusively, and takes it. The file is made with mode 0600 where it is
// missing; its directory must exist. When ctx ends first, the error is a
// *HeldError that names who holds it.
func Exclusive(ctx context.Context, path string) (*Lock, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Uncontended, which is nearly always: no second file is needed.
	if l, err := TryExclusive(path); !errors.Is(err, ErrLocked) {
		return l, err
	}
	return queue(ctx, path, exclusive)
}

// Shared waits until nobody holds the lock file path exclusively or has been
// waiting to, and takes it along with other sharers. For the rest see
// Exclusive.
func Shared(ctx context.Context, path string) (*Lock, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return queue(ctx, path, shared)
}

// Unlock gives the lock back. The file stays. A second Unlock does nothing.
func (l *Lock) Unlock() error {
	if err := l.file.Unlock(); err != nil {
		return fmt.Errorf("%s: unlock: %w", l.path, err)
	}
	return nil
}

// Remove unlinks the lock file and gives the lock back. Who waits for it
// notices, makes the file anew and locks that one. Only for an exclusive lock:
// other sharers would go on holding a file that nobody finds any more.
func (l *Lock) Remove() error {
	if l.shared || !l.file.Locked() {
		return fmt.Errorf("%s: remove: not held exclusively", l.path)
	}
	if err := os.Remove(l.path); err != nil {
		return err
	}
	// Losing a turnstile only costs its queue the order in which it stood.
	if err := os.Remove(l.path + Turnstile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, l.Unlock())
	}
	return l.Unlock()
}

// Plain is Exclusive without a turnstile, for a lock file that belongs to the
// protocol of others, who would wonder at a second file beside it.
func Plain(ctx context.Context, path string) (*Lock, error) {
	f, err := acquire(ctx, path, exclusive)
	return held(f, path, exclusive, err)
}
