package mount

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Private mounts r as Make and Attach do, in a mount namespace that only the
// call of do has, and unmounts it when do returns. No other process sees the
// mount. If the device is mounted already, both mounts are of the same
// filesystem. If that is read-only, the error is EBUSY. If this process dies,
// the kernel unmounts.
//
// do runs on a thread of its own, and must start no goroutine that looks at
// paths. What do starts as a process has the namespace, too, and its
// /proc/self/mounts shows the mount.
func Private(ctx context.Context, r Request, do func() error) error {
	done := make(chan error)
	go func() { done <- onOtherThread(func() error { return private(ctx, r, do) }) }()
	return <-done
}

// onOtherThread calls do on a thread that ends with this goroutine, since it is
// never unlocked. That must not be the first thread, whose namespace is the one
// that /proc/self shows, and that does not end.
func onOtherThread(do func() error) error {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		return do()
	}
	defer runtime.UnlockOSThread() // until then no other goroutine runs here
	done := make(chan error)
	go func() { done <- onOtherThread(do) }()
	return <-done
}

func private(ctx context.Context, r Request, do func() error) (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("a mount namespace of its own: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("a mount namespace of its own: %w", err)
	}
	m, err := Make(ctx, r)
	if err != nil {
		return err
	}
	defer m.Close()
	if _, err := m.Attach(); err != nil {
		return err
	}
	m.Close() // so that it can be unmounted
	defer func() { err = errors.Join(err, Unmount(r.Target, UnmountOptions{})) }()
	return do()
}
