package filelock

import (
	"context"
	"errors"

	"github.com/gofrs/flock"
)

// Turnstile is what a lock file's name is followed by in the name of its
// turnstile: a second lock file, held exclusively while one waits for the first
// and let go as soon as one has it. flock(2) admits a sharer whenever another
// sharer holds the file, so sharers that overlap would keep an exclusive waiter
// out for ever; behind the turnstile, who comes later waits for it.
const Turnstile = "@turn"

// queue takes the lock in turn.
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

// held makes the Lock of a locked file, or the error of one that could not be
// locked.
func held(f *flock.Flock, path string, m mode, err error) (*Lock, error) {
	if err != nil {
		return nil, failed(path, err)
	}
	return &Lock{path: path, file: f, shared: m == shared}, nil
}

// failed adds to the end of a wait who made us wait.
func failed(path string, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return err
	}
	holders, _ := holdersOf(path) // the reason why we fail is known without them
	if len(holders) == 0 {
		holders, _ = holdersOf(path + Turnstile)
	}
	return &HeldError{Path: path, Holders: holders, Err: err}
}
