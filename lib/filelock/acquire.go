package filelock

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// mode says how a file is locked.
type mode bool

const (
	exclusive mode = false
	shared    mode = true
)

// try locks f if that is possible at once. It says whether it has locked f.
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

// open prepares a lock file. The library opens the file when it locks it. The
// flags refuse a symlink, and do not wait for the writer of a FIFO. The Go
// runtime adds O_CLOEXEC.
func open(path string) *flock.Flock {
	flags := os.O_CREATE | os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	return flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o600))
}

// acquire locks the file that path names when the lock is granted. It waits
// until it has the lock or ctx ends.
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

// wait locks f unless ctx ends first. A flock(2) call cannot be cancelled. So
// at the end of ctx, wait abandons the goroutine that sleeps in the call. If
// that goroutine gets the lock later, it unlocks the file at once. A program
// that gives up waiting usually exits soon.
func wait(ctx context.Context, f *flock.Flock, m mode) error {
	if ok, err := m.try(f); ok || err != nil {
		return err
	}
	// The channel is unbuffered: either this goroutine takes the lock, or the
	// other one unlocks the file.
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

// settle says whether the locked f is still the file that path names. The
// process that had the lock before may have unlinked the file while we waited.
// If path names another file or none, settle unlocks f.
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
