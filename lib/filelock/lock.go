// Package filelock locks files with flock(2) against other processes, and
// against other goroutines of this process, with a deadline.
//
// The lock belongs to an open file: the kernel releases it when the process
// dies, for whatever reason. A waiter sleeps in the kernel and does not poll,
// so the kernel serves the waiters in the order in which they came.
//
// Do not use the package on network filesystems, where flock may be local to
// the host or missing. Do not lock a file that carries data: Remove unlinks the
// lock file, and the next lock makes an empty one.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// Lock is a lock that is held. Only one goroutine may use it at a time, as with
// a file.
type Lock struct {
	path   string
	file   *flock.Flock
	shared bool
	waited bool
}

// Exclusive waits until no other process holds the lock file path, neither
// shared nor exclusively, and locks it. If the file does not exist, Exclusive
// makes it with mode 0600; its directory must exist. If ctx ends first, the
// error is a *HeldError that names the holders.
func Exclusive(ctx context.Context, path string) (*Lock, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Most locks are free. Then no second file is needed.
	if l, err := TryExclusive(path); !errors.Is(err, ErrLocked) {
		return l, err
	}
	l, err := queue(ctx, path, exclusive)
	if err == nil {
		l.waited = true
	}
	return l, err
}

// Waited reports whether an exclusive lock was not free at once.
func (l *Lock) Waited() bool { return l.waited }

// Shared waits until no process holds the lock file path exclusively, and none
// that came earlier waits for that. Then it locks the file, together with other
// sharers. For the rest see Exclusive.
func Shared(ctx context.Context, path string) (*Lock, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return queue(ctx, path, shared)
}

// Unlock releases the lock. The file stays. A second Unlock does nothing.
func (l *Lock) Unlock() error {
	if err := l.file.Unlock(); err != nil {
		return fmt.Errorf("%s: unlock: %w", l.path, err)
	}
	return nil
}

// Remove unlinks the lock file and releases the lock. A process that waits for
// the file notices that, makes the file again and locks the new one. The lock
// must be exclusive: other sharers would keep a lock on a file that no process
// finds any more.
func (l *Lock) Remove() error {
	if l.shared || !l.file.Locked() {
		return fmt.Errorf("%s: remove: not held exclusively", l.path)
	}
	if err := os.Remove(l.path); err != nil {
		return err
	}
	// If another process waits at the turnstile, the waiters only lose their
	// order.
	if err := os.Remove(l.path + Turnstile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, l.Unlock())
	}
	return l.Unlock()
}

// Mark notes the time in the lock file, for later holders of the lock to see.
// The lock must be exclusive.
func (l *Lock) Mark() error {
	now := unix.NsecToTimespec(time.Now().UnixNano())
	// An open file would do, too, but the library does not give its descriptor.
	return os.NewSyscallError("utimensat",
		unix.UtimesNanoAt(unix.AT_FDCWD, l.path, []unix.Timespec{now, now},
			unix.AT_SYMLINK_NOFOLLOW))
}

// Marked returns when the lock file was marked, or made.
func (l *Lock) Marked() (time.Time, error) {
	st, err := l.file.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return st.ModTime(), nil
}

// Plain is Exclusive without a turnstile. It is for a lock that nobody shares,
// and for a lock file of another program's protocol, which expects no second
// file beside it.
func Plain(ctx context.Context, path string) (*Lock, error) {
	f, err := acquire(ctx, path, exclusive)
	return held(f, path, exclusive, err)
}
