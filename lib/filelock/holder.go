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
	PID     int    // in our pid namespace; 0 if the process is in none that we see
	Command string // its arguments, quoted where they are not printable; empty if it is gone
}

// String is "pid 812 (thin-snap create demo/base)".
func (h Holder) String() string {
	if h.Command == "" {
		return fmt.Sprintf("pid %d", h.PID)
	}
	return fmt.Sprintf("pid %d (%s)", h.PID, h.Command)
}

// HeldError says that the lock did not become free before the context ended. It
// is ErrLocked as well as the context's error.
type HeldError struct {
	Path    string
	Holders []Holder // who held it at the end; may be empty
	Err     error    // context.DeadlineExceeded or context.Canceled
}

// Error names the lock file and who holds it.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s: held by %s: %v", e.Path, e.Who(), e.Err)
}

// Who is "pid 812 (thin-snap create demo/base)", or several of them, or
// "another process" where none is known.
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

// Unwrap gives the context's error.
func (e *HeldError) Unwrap() error { return e.Err }

// Is makes it ErrLocked.
func (e *HeldError) Is(target error) bool { return target == ErrLocked }

// proc is where the proc filesystem lies.
type proc string

// holdersOf lists who holds path, as /proc/locks knows them (proc_locks(5)).
// Holders in pid namespaces that are not below ours are left out by the kernel,
// and so are all holders on filesystems that show other device numbers in
// stat(2) than the kernel uses (btrfs, overlayfs): an empty answer is no proof
// that the lock is free.
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

// maxCommand bounds what is shown of a command line, in bytes.
const maxCommand = 128

// command reads /proc/PID/cmdline. Another user chose these bytes, and they go
// to a terminal.
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
