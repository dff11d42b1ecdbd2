package helper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/plain"
	"thinmount/lib/thin"
)

// Exit codes of mount(8) and umount(8), section EXIT STATUS.
const (
	exitOK     = 0
	exitUsage  = 1
	exitSystem = 2
	exitUser   = 8
	exitFail   = 32
)

// code returns the exit code for err.
func code(err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, thin.ErrUsage), errors.Is(err, thin.ErrPermission):
		return exitUsage
	case errors.Is(err, thin.ErrNoKernel):
		return exitSystem
	case errors.Is(err, thin.ErrInterrupt), errors.Is(err, context.Canceled):
		return exitUser
	}
	return exitFail
}

// Report prints err and the advice for it in one line, and returns the exit
// code. mount(8) prints no error itself: it leaves that to its helper.
func Report(w io.Writer, program string, err error) int {
	if err != nil {
		line := thin.Text(err)
		if hint := Advice(err); hint != "" {
			line += " (" + hint + ")"
		}
		fmt.Fprintf(w, "%s: %s\n", program, plain.OneLine(line))
	}
	return code(err)
}

// Everything that changes the system happens on the process's first thread, one
// step after the other. So strace(1) shows it, and can break it at each step.
// In main it would be too late to lock that thread: the Go runtime may have
// moved main to another one by then.
func init() { runtime.LockOSThread() }

// Start is the first call of a helper's main. It prepares the process, and
// returns the arguments. done says that a person has called the program with -h
// or -V, and that Start has printed the answer. All other arguments are
// mount(8)'s protocol.
func Start(program, usage, version string) (argv []string, done bool) {
	// The program that reads our output may leave (mount -v … | head -1).
	// SIGPIPE is caught, so that it does not end this process: printing fails,
	// and the work goes on.
	Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	argv = os.Args[1:]
	switch {
	case wants(argv, "-h", "--help"):
		fmt.Println(usage)
	case wants(argv, "-V", "--version"):
		fmt.Println(program, versionOf(version))
	default:
		return argv, false
	}
	return nil, true
}

// Notify is signal.Notify for a goroutine that is locked to its thread, as main
// is. The Go runtime has a thread for signals, which answers twice for each of
// them, and each answer to such a goroutine takes several changes of threads.
func Notify(c chan<- os.Signal, signals ...os.Signal) {
	done := make(chan struct{})
	go func() {
		signal.Notify(c, signals...)
		close(done)
	}()
	<-done
}

// Context returns a context that ends at SIGINT, SIGTERM and SIGHUP. A use case
// then undoes what is half done.
func Context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	caught := make(chan os.Signal, 1)
	Notify(caught, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		select {
		case <-caught:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// System returns the machine's System. It prints warnings on stderr. If stderr
// is a terminal, it prints there what it waits for. If verbose is set, it
// prints each step on stdout.
func System(program string, verbose bool) *thin.System {
	s := thin.Default()
	s.Warn = func(m thin.Message) {
		fmt.Fprintf(os.Stderr, "%s: warning: %s\n", program, plain.OneLine(Words(m)))
	}
	if terminal(os.Stderr) {
		s.Wait = func(m thin.Message) {
			fmt.Fprintf(os.Stderr, "%s: %s\n", program, plain.OneLine(Words(m)))
		}
	}
	if verbose {
		s.Step = func(m string) { fmt.Printf("%s: %s\n", program, plain.OneLine(m)) }
	}
	return s
}

// terminal says whether f is a character device, such as a terminal where a
// person may watch. Pipes, files and journals are not character devices.
func terminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// versionOf returns override, or else the version in the build information.
func versionOf(override string) string {
	if override != "" {
		return override
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// usageError is a mistake in the arguments. Its text is that of the mistake,
// without the text of thin.ErrUsage.
type usageError struct{ err error }

func (e usageError) Error() string   { return e.err.Error() }
func (e usageError) Unwrap() []error { return []error{thin.ErrUsage, e.err} }

// UsageError returns the error of a mistake in the arguments, which is
// thin.ErrUsage. usage says what they should be.
func UsageError(err error, usage string) error {
	return &thin.Error{Err: usageError{err}, Remedy: thin.Hint(usage)}
}

// Needs returns the error of a program that was called with other operands than
// names.
func Needs(names []string, operands []string) error {
	want := strings.Join(names, " and ")
	switch {
	case len(operands) == 0:
		return fmt.Errorf("needs %s, and has no operand", want)
	case len(operands) < len(names):
		return fmt.Errorf("needs %s, and has only %q", want, operands[0])
	}
	return fmt.Errorf("needs %s alone, and has %q, too", want, operands[len(names)])
}

// EnterNamespace moves the calling thread into the mount namespace at path
// (mount -N). An empty path changes nothing. Start has locked the caller to its
// thread. The kernel wants a thread that shares its fs attributes with no other
// (setns(2)).
func EnterNamespace(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	return os.NewSyscallError("setns", unix.Setns(int(f.Fd()), unix.CLONE_NEWNS))
}
