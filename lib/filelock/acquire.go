package filelock

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// mode is how a file is locked.
type mode bool

const (
	exclusive mode = false
	shared    mode = true
)

// try locks f if that is possible at once.
func (m mode) try(f *flock.Flock) (bool, error) {
	lock := f.TryLock
	if m == shared {
		lock = f.TryRLock
	}
	for {
		if ok, err := lock(); !errors.Is(err, unix.EINTR) {
			return ok, err
		}
	}
}

// block locks f, however long that takes.
func (m mode) block(f *flock.Flock) error {
	lock := f.Lock
	if m == shared {
		lock = f.RLock
	}
	for {
		if err := lock(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// open prepares a lock file; the library opens it when it locks. A symlink is
// refused, a FIFO does not make us wait for its writer, and the Go runtime adds
// O_CLOEXEC.
func open(path string) *flock.Flock {
	flags := os.O_CREATE | os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	return flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o600))
}

// acquire waits for the file that path names at the time when the lock is
// granted.
func acquire(ctx context.Context, path string, m mode) (*flock.Flock, error) {
	for {
		f := open(path)
		if err := wait(ctx, f, m); err != nil {
			return nil, err
		}
		if valid, err := settle(f, path); valid {
			return f, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// wait locks f unless ctx ends first. flock(2) cannot be called off, so at the
// end of ctx the goroutine that sleeps in it is abandoned; should it get the
// lock later it gives it back at once. Programs that give up exit soon after.
func wait(ctx context.Context, f *flock.Flock, m mode) error {
	if ok, err := m.try(f); ok || err != nil {
		return err
	}
	// Unbuffered: either we take the lock, or the goroutine gives it back.
	got := make(chan error)
	go func() {
		err := m.block(f)
		select {
		case got <- err:
		case <-ctx.Done():
			_ = f.Unlock()
		}
	}()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle tells whether the locked f is still the file that path names: the last
// holder may have unlinked it while we waited. If not, f is unlocked.
func settle(f *flock.Flock, path string) (valid bool, err error) {
	mine, err := f.Stat()
	if err != nil {
		return false, errors.Join(err, f.Unlock())
	}
	named, err := os.Lstat(path)
	if err == nil && os.SameFile(mine, named) {
		return true, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return false, errors.Join(err, f.Unlock())
}
