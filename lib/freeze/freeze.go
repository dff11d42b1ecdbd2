// Package freeze suspends a device for the moment of one action, and makes sure
// that the device runs again whatever happens to the program.
//
// A process that dies between suspend and resume leaves the device suspended,
// and everything that writes there hangs. So a second process, the watcher, is
// started first, and says that it is ready. It reads one letter at a time from
// a pipe that the program writes to:
//
//	"f"  freeze the filesystems of the layers above: it answers each
//	"s"  about to suspend: the clock runs once the device is suspended
//	"d"  resumed: the watcher thaws what it has frozen, and ends
//
// The watcher writes "x", resumes the device and thaws in three cases: the pipe
// ends without "d" (the program is dead), the program is stopped, or the time
// is up. It kills no process. A program that finds an "x" after the action, or
// the device running, knows that the action's result cannot be used. The
// watcher has a session of its own, so that ctrl-C does not reach it, and runs
// outside of the program's cgroup where that is possible, so that it survives
// when the cgroup is killed (cgroup.go).
//
// While the device is suspended neither process may need it: see holdStill.
//
// # Main must take part
//
// The watcher is the same program (/proc/self/exe) started once more, with
// arguments that only RunIfWatcher knows. So main calls it before anything
// else:
//
//	func main() {
//		freeze.RunIfWatcher()
//		…
//	}
//
// A program without that call would run main again in the watcher, which starts
// another, and so on. It starts none: Suspended returns ErrNoEntry, and
// suspends nothing. The same goes for a test binary, whose TestMain makes the
// call.
package freeze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// ErrFrozen says that a filesystem is frozen already (fsfreeze(8), or another
// process of this package): the kernel freezes it once only. Nothing was done.
var ErrFrozen = errors.New("frozen by somebody")

// AboveError says that a filesystem of a layer above could not be frozen.
// Nothing was done. One that is frozen already is ErrFrozen.
type AboveError struct {
	Path string // as the folder was opened
	Err  error  // errno
}

// Error names the folder.
func (e *AboveError) Error() string { return e.Path + ": freeze: " + e.Err.Error() }

// Unwrap returns the errno.
func (e *AboveError) Unwrap() error { return e.Err }

// Is makes EBUSY ErrFrozen.
func (e *AboveError) Is(target error) bool {
	return target == ErrFrozen && errors.Is(e.Err, unix.EBUSY)
}

// ResumedError says that the device was resumed before the action was over. The
// action's result must not be used.
type ResumedError struct {
	Took, Limit time.Duration // since the suspending
}

// Error says how long it took.
func (e *ResumedError) Error() string {
	if e.TooLong() {
		return fmt.Sprintf("took %v while the device was suspended, longer than the limit of %v",
			e.Took.Round(10*time.Millisecond), e.Limit)
	}
	return "the device was resumed by somebody in between"
}

// TooLong reports whether the limit was the reason.
func (e *ResumedError) TooLong() bool { return e.Took >= e.Limit }

// Request says which device is suspended, and for how long at most.
type Request struct {
	Device dm.Ref
	Udev   dm.CookieFlags // the device was made with: see dm.Control.Resume
	Limit  time.Duration  // from the end of the suspending; then the device is resumed

	// Above are open folders (O_PATH is enough) in the filesystems of layers
	// above the device, the topmost first. They are frozen one after the other
	// before the device is suspended, which freezes the filesystem on the
	// device itself, and thawed after it is resumed.
	Above []*os.File
}

// Suspended suspends the device, calls do, and resumes the device. The end of
// ctx counts until the suspending begins. At the limit the device is resumed
// although do still runs; do is waited for, and the error is a *ResumedError.
// loose are those folders of r.Above whose filesystem cannot be frozen. Without
// RunIfWatcher in main the error is ErrNoEntry.
//
// It may be called concurrently for different devices.
func Suspended(
	ctx context.Context, c *dm.Control, r Request, do func() error,
) (loose []*os.File, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := c.Info(r.Device)
	if err != nil {
		return nil, err
	}
	w, err := startWatcher(ctx, info.Dev, r)
	if err != nil {
		if _, gone := c.Info(r.Device); errors.Is(gone, dm.ErrNotExist) {
			return nil, gone // it was removed at its last close
		}
		return nil, fmt.Errorf("watcher of %s: %w", info.Name, err)
	}
	// PR_SET_IO_FLUSHER, which holdStill sets, counts for one thread alone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer holdStill(c)()
	defer func() { err = errors.Join(err, w.end()) }()
	if err := w.freeze(ctx); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // await looks at the watcher's byte first
		return nil, err
	}
	return w.loose, w.suspended(c, r, do)
}

// suspended suspends the device, calls do, and resumes it. The watcher is told
// first, because it must know of the suspending if this process dies within the
// call. A Suspend that fails leaves the device running: the kernel undoes it
// (drivers/md/dm.c, __dm_suspend).
func (w *watcher) suspended(c *dm.Control, r Request, do func() error) (err error) {
	if err := w.say('s'); err != nil {
		return fmt.Errorf("the watcher has ended, so nothing was suspended: %w", err)
	}
	if err := c.Suspend(r.Device); err != nil {
		if errors.Is(err, dm.ErrBusy) { // from freeze_bdev (drivers/md/dm.c, lock_fs)
			err = fmt.Errorf("%w: %w", ErrFrozen, err)
		}
		return err
	}
	defer func() {
		if _, e := c.Resume(r.Device, r.Udev); e != nil {
			w.stuck, err = true, errors.Join(err, e)
		}
	}()
	start := time.Now()
	if err := do(); err != nil {
		return err
	}
	// Both are asked after the action: the watcher may have begun to resume
	// without the state of the device showing it (rescue).
	if now, e := c.Info(r.Device); e != nil || !now.Suspended() || w.resumes() {
		return &ResumedError{Took: time.Since(start), Limit: r.Limit}
	}
	return nil
}
