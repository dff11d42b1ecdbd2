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

// code is the exit code for err.
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

// Report prints err as the one line that mount(8) leaves to its helper, with
// the hint behind it, and returns the exit code.
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

// Start is the first call of a helper's main. It readies the process, and returns
// the arguments. done says that a person asked with -h or -V, and has the answer;
// all else is mount(8)'s protocol.
func Start(program, usage, version string) (argv []string, done bool) {
	// All that changes the system happens on the first thread, one step after
	// the other, where strace(1) shows it, and can break it at each step.
	runtime.LockOSThread()
	// Who reads what we print may leave (mount -v … | head -1). Caught, the signal
	// ends nothing: printing fails, and the work goes on.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
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

// Context ends at SIGINT, SIGTERM and SIGHUP, so that what is half done gets
// undone.
func Context() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
}

// System is the machine's, telling on stderr what it warns of, and on stdout,
// if verbose, what it does; on a terminal what it waits for.
func System(program string, verbose bool) *thin.System {
	s := thin.Default()
	s.Warn = func(m thin.Message) { fmt.Fprintf(os.Stderr, "%s: warning: %s\n", program, plain.OneLine(Words(m))) }
	if terminal(os.Stderr) {
		s.Wait = func(m thin.Message) { fmt.Fprintf(os.Stderr, "%s: %s\n", program, plain.OneLine(Words(m))) }
	}
	if verbose {
		s.Step = func(m string) { fmt.Printf("%s: %s\n", program, plain.OneLine(m)) }
	}
	return s
}

// terminal tells whether somebody may watch: pipes, files and journals are left
// out.
func terminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// versionOf is override, or what the build knows of itself.
func versionOf(override string) string {
	if override != "" {
		return override
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// usageError is a mistake in the arguments. Its text is the mistake's.
type usageError struct{ err error }

func (e usageError) Error() string   { return e.err.Error() }
func (e usageError) Unwrap() []error { return []error{thin.ErrUsage, e.err} }

// UsageError is a mistake in the arguments; usage says what they should be.
func UsageError(err error, usage string) error {
	return &thin.Error{Err: usageError{err}, Remedy: thin.Hint(usage)}
}

// Needs says that a program was called with other operands than those of names.
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

// EnterNamespace moves the calling thread into the mount namespace at path (mount
// -N); an empty path is none. The caller is locked to its thread, see Start, and
// the kernel wants a thread that shares its fs attributes with no other (setns(2)).
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
