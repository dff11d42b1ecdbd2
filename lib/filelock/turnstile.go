package filelock

import (
	"context"
	"errors"

	"github.com/gofrs/flock"
)

// Turnstile is added to the name of a lock file to get the name of its
// turnstile. The turnstile is a second lock file. A process holds it
// exclusively while it waits for the first file, and unlocks it as soon as it
// has the first. flock(2) admits a sharer whenever another sharer holds the
// file. So sharers that overlap would keep an exclusive waiter out for ever.
// With the turnstile, a process that comes later waits for that waiter.
const Turnstile = "@turn"

// queue takes the lock in turn, through the turnstile.
func queue(ctx context.Context, path string, m mode) (*Lock, error) {
	turn, err := acquire(ctx, path+Turnstile, exclusive)
	if err != nil {
		return nil, failed(path, err)
	}
	f, err := acquire(ctx, path, m)
	if err = errors.Join(err, turn.Unlock()); err != nil && f != nil {
		err = errors.Join(err, f.Unlock())
	}
	return held(f, path, m, err)
}

// held returns the Lock of a locked file, or the error of a file that could not
// be locked.
func held(f *flock.Flock, path string, m mode, err error) (*Lock, error) {
	if err != nil {
		return nil, failed(path, err)
	}
	return &Lock{path: path, file: f, shared: m == shared}, nil
}

// failed adds the holders of the lock to the error of a wait that ended too
// early.
func failed(path string, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return err
	}
	holders, _ := holdersOf(path) // the error is known without them
	if len(holders) == 0 {
		holders, _ = holdersOf(path + Turnstile)
	}
	return &HeldError{Path: path, Holders: holders, Err: err}
}
