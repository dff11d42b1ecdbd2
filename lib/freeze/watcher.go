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

// ErrNoEntry says that this program cannot be its own watcher, because its main
// has not called RunIfWatcher. Started once more, it would do its own work
// again. Nothing was started, and nothing suspended.
var ErrNoEntry = errors.New(
	"program has no entry for the watcher: its main must begin with freeze.RunIfWatcher")

// entered is whether main has called RunIfWatcher and is not the watcher.
var entered atomic.Bool

// RunIfWatcher does the work of the watcher and exits, if this process is one.
// In every other process it returns at once, and Suspended may be used from
// then on. Main calls it first: what runs before it delays each suspension, and
// a watcher that has memory or files of another purpose may need the device
// that it guards.
func RunIfWatcher() {
	if len(os.Args) == 6 && os.Args[0] == watcherArg {
		os.Exit(runWatcher(os.Args))
	}
	entered.Store(true)
}

// runWatcher does the work of a watcher and returns the exit code. args is
// os.Args: device number, limit, pid of the process that is watched, flags for
// udev, and the number of folders that are open, from descriptor 3 on.
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

// answer writes to the program. If that is dead, the other pipe shows it; a
// write to os.Stdout instead would then kill this process (package os/signal,
// SIGPIPE).
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

// newGuard reads the arguments and prepares all that resuming needs: while the
// device is suspended, no page of the program and no memory may be read from
// it.
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
	if _, err := c.Info(dm.ByDev(dev)); err != nil { // also loads the code that resuming needs
		return nil, err
	}
	// A pid may be given to another process; a pidfd stays with this one. The
	// parent is compared after it is open: a parent that had died before would
	// be another by now.
	parent, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	if os.Getppid() != pid {
		return nil, fmt.Errorf("process %d is not the parent", pid)
	}
	g := &guard{
		c: c, device: dm.ByDev(dev), parent: parent, pid: pid, limit: limit,
		udev: dm.CookieFlags(udev),
	}
	for i := range count {
		g.above = append(g.above, os.NewFile(uintptr(3+i), "above"))
	}
	debug.SetGCPercent(-1)
	// When memory is short, the kernel kills other processes first.
	os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0)
	lockMemory() // until the process ends
	return g, nil
}

// glance is how often the watcher looks, after "s", whether the device is
// suspended (that may take long: suspending writes out what is dirty), and
// whether the program is stopped.
const glance = 20 * time.Millisecond

// stoppedLimit is how long a program that is stopped (SIGSTOP, ctrl-Z) may keep
// the device suspended.
const stoppedLimit = time.Second

// untold is how long the watcher waits for the first letter. A program that has
// sent none by then is stopped or stuck. The watcher ends, which breaks the
// pipe, so that the program cannot suspend any more. The program may even be
// stuck because it waits for the watcher's end: syscall.forkExec does so when
// it cannot read whether the start has worked.
// A machine that is very busy gives the program little time, so it is long.
const untold = 15 * time.Second

// watch reads the pipe at stdin to its end, to "d", or until the time is up. If
// it ends before "s", the device is left alone: another program has suspended
// it, if it is suspended at all.
func (g *guard) watch() int {
	timeout, told := untold, false
	var since, running time.Time // of the suspension; of the last look that saw the program run
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

// suspended reports whether the device is suspended now. A device that is gone
// is not.
func (g *guard) suspended() bool {
	info, err := g.c.Info(g.device)
	return err == nil && info.Suspended()
}

// isStopped reports whether a process is stopped by job control: state T in
// /proc/PID/stat (proc_pid_stat(5)). A process that a debugger holds has the
// state t.
func isStopped(pid int) bool {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return stateIn(b) == 'T'
}

// stateIn returns the letter behind the name of the program. The name stands in
// parentheses and may have some itself, so that the last one counts.
func stateIn(stat []byte) byte {
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
		return stat[i+2]
	}
	return 0
}

// next reads one byte from stdin, and returns 0 after timeout. ended is the end
// of the pipe.
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

// awaitDeath waits up to 200 ms for the end of the program: a process that dies
// closes its files before its pidfd reports the end.
func (g *guard) awaitDeath() {
	unix.Poll([]unix.PollFd{{Fd: int32(g.parent), Events: unix.POLLIN}}, 200)
}

// rescue resumes the device and thaws what is frozen. It answers "x" first: the
// kernel lets I/O go on some time before the device's state says so, because it
// thaws the filesystem in between (drivers/md/dm.c, dm_resume, unlock_fs), and
// that may wait for the commit that took too long.
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

// freeze freezes the filesystems above, in their order. It answers "f" for
// each, or "n" for one that cannot be frozen. Its error is the number of the
// one that fails, and the errno.
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

// thaw thaws what this watcher has frozen, and returns the exit code.
func (g *guard) thaw() int {
	files := g.frozen
	g.frozen = nil
	if Thaw(files) != nil {
		return 1
	}
	return 0
}

// Thaw thaws the filesystems of open folders (O_PATH is enough), the last
// first. Filesystems that are not frozen, or cannot be, are passed over.
func Thaw(files []*os.File) error {
	var errs []error
	for i := range files {
		err := dm.ThawFS(files[len(files)-1-i])
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) &&
			!errors.Is(err, unix.ENOTTY) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
