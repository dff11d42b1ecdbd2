package freeze

import (
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// WatcherArg is argv[0] of the watcher: what ps(1) shows.
const WatcherArg = "thin-watcher"

// IsWatcher reports whether this process is to be a watcher. Main asks first.
func IsWatcher(args []string) bool { return len(args) == 4 && args[0] == WatcherArg }

// Watch is all that a watcher does; it returns the exit code. Args is os.Args:
// device number, limit, pid of the process that is watched.
func Watch(args []string) int {
	dev, devErr := dm.ParseDevNo(args[1])
	limit, limitErr := time.ParseDuration(args[2])
	pid, pidErr := strconv.Atoi(args[3])
	if errors.Join(devErr, limitErr, pidErr) != nil {
		return 1
	}
	debug.SetGCPercent(-1)
	c, err := dm.Open()
	if err != nil {
		return 1
	}
	defer c.Close()
	if _, err := c.Info(dm.ByDev(dev)); err != nil { // also touches the code that resuming needs
		return 1
	}
	parent, err := unix.PidfdOpen(pid, 0)
	if err != nil || os.Getppid() != pid {
		return 1
	}
	unix.Mlockall(unix.MCL_CURRENT)
	g := guard{c: c, device: dm.ByDev(dev), parent: parent, limit: limit}
	if _, err := os.Stdout.Write([]byte{'r'}); err != nil {
		return 1
	}
	os.Stdout.Close()
	return g.watch()
}

// guard is the watcher at work.
type guard struct {
	c      *dm.Control
	device dm.Ref
	parent int // pidfd
	limit  time.Duration
}

// glance is how often the watcher looks whether the device is suspended yet,
// once it has been told that it will be. The suspending itself may take long:
// it writes out what is dirty.
const glance = 20 * time.Millisecond

// untold is how long the watcher waits for the first word. Who has not said it by
// then is stopped or stuck, and must not suspend any more: the pipe is broken. It
// may even be stuck in waiting for the watcher, which syscall.forkExec does when it
// cannot read whether the start has worked.
const untold = 5 * time.Second

// watch reads the pipe at stdin to its end, to "d", or until time is up. Without
// "s" before the end, whoever has suspended the device was not us.
func (g guard) watch() int {
	timeout, told, running := untold, false, false
	for {
		switch b, ended, err := next(timeout); {
		case err != nil || ended:
			if !told {
				return 0
			}
			return g.rescue()
		case b == 'd':
			return 0
		case b == 's':
			timeout, told = glance, true
		case !told:
			return 0
		case !g.suspended():
			timeout, running = glance, false // not yet, or resumed with "d" still to come
		case running: // time is up
			unix.PidfdSendSignal(g.parent, unix.SIGKILL, nil, 0)
			return g.rescue()
		default:
			timeout, running = max(g.limit, time.Millisecond), true
		}
	}
}

func (g guard) suspended() bool {
	info, err := g.c.Info(g.device)
	return err == nil && info.Suspended()
}

// next reads one byte from stdin; after timeout it is 0. ended is the end of
// the pipe.
func next(timeout time.Duration) (b byte, ended bool, err error) {
	fds := []unix.PollFd{{Fd: 0, Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(timeout.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return next(timeout)
	}
	if err != nil || n == 0 {
		return 0, false, err
	}
	var buf [1]byte
	n, err = unix.Read(0, buf[:])
	return buf[0], n == 0, err
}

// rescue resumes the device when the process that suspended it can send no
// message any more: it is dead; or it hangs on the suspended device itself, and
// will die at the resume, being killed, before it gets to anything else.
func (g guard) rescue() int {
	fds := []unix.PollFd{{Fd: int32(g.parent), Events: unix.POLLIN}}
	unix.Poll(fds, 200)
	if !g.suspended() {
		return 0
	}
	if _, err := g.c.Resume(g.device); err != nil {
		return 1
	}
	return 0
}
