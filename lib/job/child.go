package job

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ProcessName is the name of the second process, as ps(1) and /proc/PID/comm
// show it.
const ProcessName = "thin-run"

// childArgs is how many arguments it has before those of the program.
const childArgs = 7

// RunIfChild does the work of the second process and exits, if this is it. In
// every other process it returns at once, and Start may be used from then on.
// Main calls it first: before it reads flags, opens files or starts goroutines.
func RunIfChild() {
	if len(os.Args) > childArgs && os.Args[0] == ProcessName && os.Getpid() == 1 {
		os.Exit(runChild(os.Args))
	}
	entered.Store(true)
}

// child is the second process: the first one of its PID namespace.
type child struct {
	dir     string
	chroot  bool
	sync    Sync
	args    []string
	mount   int
	control *os.File // its end is that of the first process
	result  *os.File
	root    int // the root folder of the mount, open from before the program begins
}

// runChild does the work of the second process and returns its exit status,
// which nobody reads. args is os.Args.
func runChild(args []string) int {
	var fds [3]int
	for i := range fds {
		n, err := strconv.Atoi(args[1+i])
		if err != nil {
			return 1
		}
		unix.CloseOnExec(n)
		fds[i] = n
	}
	c := &child{dir: args[4], chroot: args[5] == "true", sync: Sync(args[6]),
		args: args[childArgs:], mount: fds[0],
		control: os.NewFile(uintptr(fds[1]), "control"),
		result:  os.NewFile(uintptr(fds[2]), "result")}
	os.WriteFile("/proc/self/comm", []byte(ProcessName), 0) // what top shows
	return c.run()
}

// run mounts, starts the program and waits for its end. Signals that are caught
// have their usual effect in the program, unlike ignored ones.
func (c *child) run() int {
	caught := make(chan os.Signal, 16)
	for _, s := range handedOn {
		if !signal.Ignored(s) {
			signal.Notify(caught, s)
		}
	}
	if what, err := c.setUp(); err != nil {
		say(c.result, "setup %d %s", number(err), what)
		return 1
	}
	pid, err := c.exec()
	if err != nil {
		say(c.result, "exec %d", number(err))
		return 1
	}
	// The terminal's signals reach the program without us.
	unix.Setpgid(0, 0)
	// No other process gets this number meanwhile: this one alone reaps.
	program, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		say(c.result, "setup %d a descriptor of the program", number(err))
		return 1
	}
	say(c.result, "started")
	go c.obey(program)
	go func() {
		for s := range caught {
			unix.PidfdSendSignal(program, s.(unix.Signal), nil, 0)
		}
	}()
	status := reap(pid)
	say(c.result, "exited %d", status)
	// What the program has left behind would keep the mount busy.
	unix.Kill(-1, unix.SIGKILL)
	reap(0)
	if c.sync == SyncAlways || c.sync == SyncSuccess && status == 0 {
		say(c.result, "synced %d", number(unix.Syncfs(c.root)))
	}
	return 0
}

// obey sends the program the signals that the first process asks for. When the
// first process is dead, the second one ends at once, and all others with it.
func (c *child) obey(program int) {
	b := make([]byte, 1)
	for {
		if _, err := io.ReadFull(c.control, b); err != nil {
			os.Exit(1)
		}
		unix.PidfdSendSignal(program, unix.Signal(b[0]), nil, 0)
	}
}

// reap waits for processes until that with the number pid has ended, and
// returns its status as a shell has it. With 0 it waits until there is none.
func reap(pid int) (status int) {
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return status
		case got == pid && ws.Signaled():
			return 128 + int(ws.Signal())
		case got == pid:
			return ws.ExitStatus()
		}
	}
}

// number is the errno of an error; 0 is none.
func number(err error) int {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return int(errno)
	}
	return int(unix.EIO)
}
