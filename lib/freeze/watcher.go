package freeze

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// watcherArg is argv[0] of the watcher: what ps(1) shows.
const watcherArg = "thin-watcher"

// ErrNoEntry says that this program cannot be its own watcher, because its main has
// not called RunIfWatcher. Started once more, it would do its own work again.
// Nothing was started, and nothing suspended.
var ErrNoEntry = errors.New("program has no entry for the watcher: its main must begin with freeze.RunIfWatcher")

// entered is whether main has called RunIfWatcher and is not the watcher.
var entered atomic.Bool

// RunIfWatcher does the work of the watcher and exits, if this process is one. In
// every other process it returns at once, and Suspended may be used from then on.
// Main calls it first: what runs before it delays each suspension, and a watcher
// that has memory or files of another purpose may need the device that it guards.
func RunIfWatcher() {
	if len(os.Args) == 6 && os.Args[0] == watcherArg {
		os.Exit(runWatcher(os.Args))
	}
	entered.Store(true)
}

// runWatcher is all that a watcher does; it returns the exit code. Args is os.Args:
// device number, limit, pid of the process that is watched, flags for udev, and
// how many folders are open, from descriptor 3 on.
func runWatcher(args []string) int {
	g, err := newGuard(args)
	if err != nil {
		answer("!" + err.Error())
		return 1
	}
	defer g.c.Close()
	answer("r")
	return g.watch()
}

// answer writes to the program. That it is gone by now shows at the other pipe;
// os.Stdout would have us killed by SIGPIPE for it.
func answer(text string) { unix.Write(1, []byte(text)) }

// guard is the watcher at work.
type guard struct {
	c      *dm.Control
	device dm.Ref
	parent int // pidfd
	pid    int // of the parent
	limit  time.Duration
	udev   dm.CookieFlags
	above  []*os.File // of layers above
	frozen []*os.File // of above
}

// newGuard reads the arguments and prepares all that resuming needs: no page of
// the program and no memory is to be fetched from the device then.
func newGuard(args []string) (*guard, error) {
	dev, devErr := dm.ParseDevNo(args[1])
	limit, limitErr := time.ParseDuration(args[2])
	pid, pidErr := strconv.Atoi(args[3])
	udev, udevErr := strconv.ParseUint(args[4], 10, 16)
	count, countErr := strconv.ParseUint(args[5], 10, 16)
	if err := errors.Join(devErr, limitErr, pidErr, udevErr, countErr); err != nil {
		return nil, err
	}
	c, err := dm.Open()
	if err != nil {
		return nil, err
	}
	if _, err := c.Info(dm.ByDev(dev)); err != nil { // also touches the code that resuming needs
		return nil, err
	}
	parent, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	if os.Getppid() != pid {
		return nil, fmt.Errorf("process %d is not the parent", pid)
	}
	g := &guard{c: c, device: dm.ByDev(dev), parent: parent, pid: pid, limit: limit, udev: dm.CookieFlags(udev)}
	for i := range count {
		g.above = append(g.above, os.NewFile(uintptr(3+i), "above"))
	}
	debug.SetGCPercent(-1)
	os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0) // whoever else is killed for memory: not us
	unix.Mlockall(unix.MCL_CURRENT)
	return g, nil
}

// glance is how often the watcher looks whether the device is suspended yet,
// once it has been told that it will be (the suspending itself may take long: it
// writes out what is dirty), and whether we are stopped.
const glance = 20 * time.Millisecond

// stoppedLimit is how long a process that is stopped (SIGSTOP, ctrl-Z) may keep
// the device suspended.
const stoppedLimit = time.Second

// untold is how long the watcher waits for the first word. Who has not said it by
// then is stopped or stuck, and must not suspend any more: the pipe is broken. It
// may even be stuck in waiting for the watcher, which syscall.forkExec does when it
// cannot read whether the start has worked.
const untold = 5 * time.Second

// watch reads the pipe at stdin to its end, to "d", or until time is up. Without
// "s" before the end, whoever has suspended the device was not us.
func (g *guard) watch() int {
	timeout, told := untold, false
	var since, running time.Time // of the suspension; of the last look at which we were not stopped
	for {
		b, ended, err := next(timeout)
		switch now := time.Now(); {
		case err != nil || ended:
			if told {
				g.awaitDeath()
				return g.rescue()
			}
			return g.thaw()
		case b == 'd':
			return g.thaw()
		case b == 'f':
			if err := g.freeze(); err != nil {
				code := g.thaw()
				answer("!" + err.Error())
				return code
			}
		case b == 's':
			timeout, told = glance, true
		case !told:
			return g.thaw()
		case !g.suspended(): // not yet, or resumed with "d" still to come
			since = time.Time{}
		case since.IsZero():
			since, running = now, now
		case now.Sub(since) >= g.limit, now.Sub(running) >= stoppedLimit:
			return g.rescue()
		case !isStopped(g.pid):
			running = now
		}
	}
}

func (g *guard) suspended() bool {
	info, err := g.c.Info(g.device)
	return err == nil && info.Suspended()
}

// isStopped tells whether a process is stopped by job control: /proc/PID/stat,
// the field behind the name in brackets (proc_pid_stat(5)). One that a debugger
// holds is not.
func isStopped(pid int) bool {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return stateIn(b) == 'T'
}

func stateIn(stat []byte) byte {
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
		return stat[i+2]
	}
	return 0
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

// awaitDeath waits, not for long, for the end of a process whose files are
// closed already.
func (g *guard) awaitDeath() {
	unix.Poll([]unix.PollFd{{Fd: int32(g.parent), Events: unix.POLLIN}}, 200)
}

// rescue resumes the device and thaws what is frozen. It says so first: the kernel
// lets I/O go on some time before it shows that the device is not suspended any
// more, since it thaws the filesystem in between (drivers/md/dm.c, dm_resume),
// which waits for the very commit that took too long.
func (g *guard) rescue() int {
	code := 0
	if g.suspended() {
		answer("x")
		if _, err := g.c.Resume(g.device, g.udev); err != nil {
			code = 1
		}
	}
	return max(code, g.thaw())
}

// freeze freezes the filesystems above, in their order, and says of each "f", or
// "n" where it can only be written out. Its error is the number of one that fails,
// and the errno.
func (g *guard) freeze() error {
	for i, f := range g.above {
		err := dm.FreezeFS(f)
		switch {
		case err == nil:
			g.frozen = append(g.frozen, f)
			answer("f")
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOTTY):
			answer("n")
		default:
			var errno unix.Errno
			errors.As(err, &errno)
			return fmt.Errorf("%d %d", i, int(errno))
		}
	}
	return nil
}

// thaw thaws what this process has frozen.
func (g *guard) thaw() int {
	files := g.frozen
	g.frozen = nil
	if Thaw(files) != nil {
		return 1
	}
	return 0
}

// Thaw thaws the filesystems of open folders (O_PATH will do), the last first. One
// that is not frozen is no error.
func Thaw(files []*os.File) error {
	var errs []error
	for i := range files {
		err := dm.ThawFS(files[len(files)-1-i])
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOTTY) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
