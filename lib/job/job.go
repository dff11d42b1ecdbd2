package job

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errNoEntry says that this program cannot be its own second process, because
// its main has not called RunIfChild. Nothing was started.
var errNoEntry = errors.New(
	"program has no entry for its second process: its main must begin with job.RunIfChild")

// ErrLeft says that a signal ended the wait for the last writes of a program.
// They go on, and the mount ends after them.
var ErrLeft = errors.New("the last writes are still under way")

// entered is whether main has called RunIfChild and is not the second process.
var entered atomic.Bool

// Request says what to run, and where.
type Request struct {
	// Mount is a mount without a place, as fsmount(2) makes it. Dir is the
	// folder that it gets: there is one, outside of the new mount namespace.
	Mount *os.File
	Dir   string
	// Chroot makes the mount the program's root folder, with /proc, /sys and
	// /dev where it has folders of that name.
	Chroot bool
	Args   []string // the program, and what it is told
	Env    []string // more than this process has: NAME=VALUE
	Sync   Sync
}

// Sync says after which end of the program its last writes are waited for.
type Sync string

const (
	SyncAlways  Sync = "always"
	SyncSuccess Sync = "success"
	SyncNever   Sync = "never"
)

// Job is a program that runs. It is for one goroutine.
type Job struct {
	process *os.Process
	control *os.File // to the second process: a byte is a signal for the program
	result  *os.File
	lines   *bufio.Scanner
	signals chan os.Signal
}

// ExecError says that the program could not be started.
type ExecError struct {
	Program string
	Err     error
}

// Error names the program.
func (e *ExecError) Error() string { return e.Program + ": " + e.Err.Error() }

// Unwrap returns the errno.
func (e *ExecError) Unwrap() error { return e.Err }

// Status is what env(1) and a shell exit with: 127 if there is no such program,
// 126 if there is one.
func (e *ExecError) Status() int {
	if errors.Is(e.Err, unix.ENOENT) || errors.Is(e.Err, unix.ENOTDIR) {
		return 127
	}
	return 126
}

// Start starts a program. It returns when the program runs. The error is an
// *ExecError if the program could not be started. The caller's goroutine is
// locked to a thread that lives as long as the process: the kernel ends the job
// with that thread. After Start, signals do not end this process until Close.
func Start(r Request) (*Job, error) {
	if !entered.Load() {
		return nil, errNoEntry
	}
	j := &Job{signals: make(chan os.Signal, 16)}
	for _, s := range handedOn {
		if !signal.Ignored(s) {
			signal.Notify(j.signals, s)
		}
	}
	err := j.start(r)
	if err == nil {
		err = j.started(r)
	}
	if err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

// handedOn are the signals that the program gets if this process does.
var handedOn = []os.Signal{
	unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2,
}

// firstFD is above the descriptors that this process may have inherited, and
// that the program is to inherit: those of make's job server, for example.
const firstFD = 100

// start starts the second process.
func (j *Job) start(r Request) error {
	control, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer control.Close()
	j.control = ours
	result, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	j.result, j.lines = result, bufio.NewScanner(result)
	argv := []string{ProcessName}
	for _, f := range []*os.File{r.Mount, control, theirs} {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD, firstFD)
		if err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		defer unix.Close(fd)
		argv = append(argv, strconv.Itoa(fd))
	}
	argv = append(argv, r.Dir, strconv.FormatBool(r.Chroot), string(r.Sync))
	j.process, err = os.StartProcess("/proc/self/exe", append(argv, r.Args...), &os.ProcAttr{
		Env:   environment(r.Env),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL,
		},
	})
	if err != nil {
		return &setupError{"a mount namespace and a PID namespace", bare(err)}
	}
	return nil
}

// environment is that of this process, with more.
func environment(more []string) []string {
	all := os.Environ()
	for _, set := range more {
		name, _, _ := strings.Cut(set, "=")
		all = slices.DeleteFunc(all, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	}
	return append(all, more...)
}

// setupError says that something could not be made that a program needs.
type setupError struct {
	What string
	Err  error
}

// Error names what could not be made.
func (e *setupError) Error() string { return e.What + ": " + e.Err.Error() }

// Unwrap returns the errno.
func (e *setupError) Unwrap() error { return e.Err }

// started waits until the program runs.
func (j *Job) started(r Request) error {
	if !j.lines.Scan() {
		return &setupError{"second process", errors.New("it has ended")}
	}
	word, rest, _ := strings.Cut(j.lines.Text(), " ")
	if word == "started" {
		return nil
	}
	number, what, _ := strings.Cut(rest, " ")
	n, _ := strconv.Atoi(number)
	if word == "exec" {
		return &ExecError{r.Args[0], unix.Errno(n)}
	}
	return &setupError{what, unix.Errno(n)}
}

// Result is how a program has ended.
type Result struct {
	// Status is what a shell would have as $?: the exit status, or 128 and the
	// number of the signal.
	Status int
	// Lost is the errno of writes that failed while the program ran.
	// Request.Sync says when they are looked for.
	Lost error
}

// patience is for how long after the program's end a signal is taken for one
// that was meant for the program: a terminal sends it to all at once.
const patience = time.Second

// Wait waits for the program's end, and until the kernel has unmounted what it
// ran in. Meanwhile it hands on signals that come to this process alone. ended
// is called when the program has ended. A signal that comes later ends the wait
// with ErrLeft.
func (j *Job) Wait(ended func()) (Result, error) {
	lines := make(chan string)
	stop := make(chan struct{})
	defer close(stop)
	go j.read(lines, stop)
	res := Result{Status: 128 + int(unix.SIGKILL)} // unless it says otherwise
	var over time.Time                             // the program's end
	for {
		select {
		case s := <-j.signals:
			switch {
			case over.IsZero():
				j.pass(s.(unix.Signal))
			case time.Since(over) > patience:
				return res, ErrLeft
			}
		case line, more := <-lines:
			if !more {
				return res, nil
			}
			word, rest, _ := strings.Cut(line, " ")
			n, _ := strconv.Atoi(rest)
			switch {
			case word == "exited":
				res.Status, over = n, time.Now()
				ended()
			case word == "synced" && n != 0:
				res.Lost = unix.Errno(n)
			}
		}
	}
}

// read sends the lines of the second process, and then waits for its end.
func (j *Job) read(lines chan<- string, stop <-chan struct{}) {
	defer close(lines)
	for j.lines.Scan() {
		select {
		case lines <- j.lines.Text():
		case <-stop:
			return
		}
	}
	// The kernel shuts the filesystem down in the last process that ends.
	j.process.Wait()
}

// pass hands a signal on, unless the terminal has sent it to the program,
// too. If that cannot be told, the program gets it.
func (j *Job) pass(s unix.Signal) {
	switch s {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGHUP:
		if stat, err := os.ReadFile("/proc/self/stat"); err == nil && inForeground(string(stat)) {
			return
		}
	}
	j.Signal(s)
}

// Signal sends the program a signal.
func (j *Job) Signal(s unix.Signal) {
	j.control.Write([]byte{byte(s)}) // fails if the job has ended
}

// inForeground tells from /proc/PID/stat whether the process is in the
// foreground of a terminal: then what is typed there as a signal goes to the
// program, too. The name may have blanks in it, and ends with the last ")".
func inForeground(stat string) bool {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const group, foreground = 2, 5 // pgrp and tpgid in proc_pid_stat(5)
	return len(f) > foreground && f[group] == f[foreground]
}

// Close ends the second process, if it is still there, and lets signals have
// their usual effect.
func (j *Job) Close() {
	signal.Stop(j.signals)
	for _, f := range []io.Closer{j.control, j.result} {
		f.Close()
	}
	if j.process != nil {
		j.process.Kill() // fails if it has ended
		j.process.Release()
	}
}

// bare takes the name of the system call and the path out of an error.
func bare(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// say is one line of the second process.
func say(to *os.File, format string, args ...any) { fmt.Fprintf(to, format+"\n", args...) }
