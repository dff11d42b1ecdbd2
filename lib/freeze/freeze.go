// Package freeze suspends a device for the moment of one action, and sees to it
// that the device runs again whatever happens to the program.
//
// A process that dies between suspend and resume leaves the device hanging, and
// with it everybody who writes there. So a second process, the watcher, is
// started first and shown to be ready. It waits at a pipe from us:
//
//	we: "s"   about to suspend; the clock runs once the device is seen suspended
//	we: "d"   resumed; the watcher ends
//
// At the end of the pipe without "d" (we are dead), or when the clock has run
// out, it makes sure that we act no more, and resumes the device. It is in a
// session of its own, so that ctrl-C does not reach it, and its memory is
// locked, since its own program may lie on the device.
package freeze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"thinmount/lib/dm"
)

// ErrTooLong says that the action took longer than the limit. The device runs
// again, and the action's result must not be used.
var ErrTooLong = errors.New("took too long while the device was suspended")

// Suspended suspends the device, calls do, and resumes the device. limit bounds
// the time from the end of the suspending to the resuming: a process that is
// stopped or stuck for longer is killed by the watcher, and the device resumed.
// ctx is looked at before the suspending only. The caller's main must call
// IsWatcher and Watch.
func Suspended(ctx context.Context, c *dm.Control, device dm.Ref, limit time.Duration, do func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := c.Info(device)
	if err != nil {
		return err
	}
	w, err := startWatcher(ctx, info.Dev, limit)
	if err != nil {
		return fmt.Errorf("watcher of %s: %w", info.Name, err)
	}
	stuck := false // the device could not be resumed
	defer func() { err = errors.Join(err, w.end(!stuck)) }()
	if err := ctx.Err(); err != nil { // may have ended with the watcher's byte already there
		return err
	}
	// The thread's preemption by the collector, while others cannot write, helps nobody.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := w.say('s'); err != nil {
		return err
	}
	if err := c.Suspend(device, 0); err != nil {
		return err
	}
	defer func() {
		if _, e := c.Resume(device); e != nil {
			stuck, err = true, errors.Join(err, e)
		}
	}()
	start := time.Now()
	if err := do(); err != nil {
		return err
	}
	if time.Since(start) >= limit {
		return ErrTooLong
	}
	return nil
}

// watcher is our end of the second process.
type watcher struct {
	process *os.Process
	pipe    *os.File
}

// startWatcher starts it and waits until it says that it is ready.
func startWatcher(ctx context.Context, dev dm.DevNo, limit time.Duration) (*watcher, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	ready, readyTheirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	defer ready.Close()
	p, err := os.StartProcess("/proc/self/exe",
		[]string{WatcherArg, dev.String(), limit.String(), strconv.Itoa(os.Getpid())},
		&os.ProcAttr{
			Dir: "/", Env: []string{}, Files: []*os.File{theirs, readyTheirs, nil},
			Sys: &syscall.SysProcAttr{Setsid: true},
		})
	readyTheirs.Close()
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	w := &watcher{process: p, pipe: ours}
	if err := w.awaitReady(ctx, ready); err != nil {
		p.Kill()
		return nil, errors.Join(err, w.end(true))
	}
	return w, nil
}

// awaitReady waits for the watcher's one byte: by then it has opened all that it
// needs.
func (w *watcher) awaitReady(ctx context.Context, ready *os.File) error {
	stop := context.AfterFunc(ctx, func() { ready.SetReadDeadline(time.Now()) })
	defer stop()
	var b [1]byte
	if _, err := io.ReadFull(ready, b[:]); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.New("ended before it was ready")
	}
	return nil
}

// say writes one byte. A watcher that is dead gives EPIPE: then nothing may be
// suspended.
func (w *watcher) say(b byte) error {
	_, err := w.pipe.Write([]byte{b})
	return err
}

// end dismisses the watcher and waits for its end. One that is stopped reads no
// "d", so it is killed; where the device still hangs, it is left to try as well.
func (w *watcher) end(runs bool) error {
	if runs {
		w.say('d')
		w.process.Kill() // an error says that it has ended
	}
	w.pipe.Close()
	_, err := w.process.Wait()
	return err
}
