package filelock

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// holdArg is an environment variable. It makes the test binary lock the file
// that it names, say so, and hold the lock until it is killed or its stdin
// ends.
const holdArg = "THINMOUNT_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdArg); path != "" {
		if _, err := TryExclusive(path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// holder starts a process that holds the lock of path.
func holder(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "hold-it")
	cmd.Env = append(os.Environ(), holdArg+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	line := make([]byte, 5)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "held\n" {
		t.Fatalf("holder said %q, %v", line, err)
	}
	return cmd
}

// patience returns a context that bounds how long a test hangs before it fails.
// No test depends on how long anything takes.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T) func(*Lock, error) *Lock {
	return func(l *Lock, err error) *Lock {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

// waiters counts the processes that wait for path, as the kernel lists them.
func waiters(t *testing.T, path string) (n int) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0
	}
	b, err := os.ReadFile("/proc/locks")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range parseLocks(b) {
		if l.waiting && l.file == (fileID{unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino}) {
			n++
		}
	}
	return n
}

// awaitWaiter returns when a process waits for path.
func awaitWaiter(t *testing.T, path string) { t.Helper(); awaitWaiters(t, path, true) }

// awaitWaiters returns when a process waits for path (some), or when none does.
func awaitWaiters(t *testing.T, path string, some bool) {
	t.Helper()
	for ctx := patience(t); (waiters(t, path) > 0) != some; runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatalf("waiters for %s: %d", path, waiters(t, path))
		}
	}
}

func unlock(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
}
