package filelock

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Holder is a process that holds a lock.
type Holder struct {
	PID     int    // in our pid namespace; 0 if our namespace does not show the process
	Command string // arguments, quoted if not printable; empty if the process has ended
}

// String returns, for example, "pid 812 (thin-snap create demo/base)".
func (h Holder) String() string {
	if h.Command == "" {
		return fmt.Sprintf("pid %d", h.PID)
	}
	return fmt.Sprintf("pid %d (%s)", h.PID, h.Command)
}

// HeldError says that the lock did not become free before the context ended.
// With errors.Is it is ErrLocked, and the context's error as well.
type HeldError struct {
	Path    string
	Holders []Holder // the processes that held it at the end; may be empty
	Err     error    // context.DeadlineExceeded or context.Canceled
}

// Error names the lock file and its holders.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s: held by %s: %v", e.Path, e.Who(), e.Err)
}

// Who returns, for example, "pid 812 (thin-snap create demo/base)". It joins
// several holders by commas, and returns "another process" if none is known.
func (e *HeldError) Who() string {
	if len(e.Holders) == 0 {
		return "another process"
	}
	names := make([]string, len(e.Holders))
	for i, h := range e.Holders {
		names[i] = h.String()
	}
	return strings.Join(names, ", ")
}

// Who names the holders of a lock file, as HeldError.Who does.
func Who(path string) string {
	holders, _ := holdersOf(path)
	return (&HeldError{Holders: holders}).Who()
}

// Unwrap returns the context's error.
func (e *HeldError) Unwrap() error { return e.Err }

// Is says that the error is ErrLocked.
func (e *HeldError) Is(target error) bool { return target == ErrLocked }

// proc is the directory on which the proc filesystem is mounted.
type proc string

// holdersOf lists the holders of path that /proc/locks shows (proc_locks(5)).
// The kernel leaves out holders in pid namespaces that are not below ours. On
// btrfs and overlayfs it finds no holder, because there stat(2) shows another
// device number than the kernel uses. So an empty list does not prove that the
// lock is free.
func holdersOf(path string) ([]Holder, error) { return proc("/proc").holders(path) }

func (p proc) holders(path string) ([]Holder, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	sys := st.Sys().(*syscall.Stat_t)
	locks, err := os.ReadFile(filepath.Join(string(p), "locks"))
	if err != nil {
		return nil, err
	}
	want := fileID{unix.Major(uint64(sys.Dev)), unix.Minor(uint64(sys.Dev)), sys.Ino}
	var found []Holder
	for _, l := range parseLocks(locks) {
		if l.class == "FLOCK" && !l.waiting && l.file == want {
			found = append(found, Holder{l.pid, p.command(l.pid)})
		}
	}
	return found, nil
}

// maxCommand is how many bytes of a command line are shown.
const maxCommand = 128

// command reads /proc/PID/cmdline. It quotes what is not printable, because
// another user chose these bytes and a terminal may show them.
func (p proc) command(pid int) string {
	b, err := os.ReadFile(filepath.Join(string(p), strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return ""
	}
	line := string(bytes.TrimSpace(bytes.ReplaceAll(b, []byte{0}, []byte{' '})))
	if len(line) > maxCommand {
		line = line[:maxCommand] + "..."
	}
	if quoted := strconv.QuoteToGraphic(line); quoted != `"`+line+`"` {
		return quoted
	}
	return line
}
