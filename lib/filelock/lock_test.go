package filelock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// holdArg makes the test binary lock a file, say so, and hold it until it is killed or its stdin ends.
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

// holder starts a process that holds path.
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

// patience bounds how long a test hangs before it fails; no test depends on how long anything takes.
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

// waiters counts who waits for path, as the kernel tells.
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

// awaitWaiter comes back when somebody waits for path.
func awaitWaiter(t *testing.T, path string) { t.Helper(); awaitWaiters(t, path, true) }

// awaitWaiters comes back when somebody, or nobody, waits for path.
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

func TestWhoExcludesWhom(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first func(string) (*Lock, error)
		then  func(string) (*Lock, error)
		want  error
	}{
		{"exclusive exclusive", TryExclusive, TryExclusive, ErrLocked},
		{"exclusive shared", TryExclusive, TryShared, ErrLocked},
		{"shared exclusive", TryShared, TryExclusive, ErrLocked},
		{"shared shared", TryShared, TryShared, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			first := must(t)(tt.first(path))
			l, err := tt.then(path)
			if !errors.Is(err, tt.want) {
				t.Errorf("second: %v, want %v", err, tt.want)
			}
			unlock(t, first)
			if l != nil {
				unlock(t, l)
			}
			unlock(t, must(t)(TryExclusive(path)))
		})
	}
}

func TestBlockingLocksExclude(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a := must(t)(Shared(patience(t), path))
	b := must(t)(Shared(patience(t), path))
	if _, err := TryExclusive(path); !errors.Is(err, ErrLocked) {
		t.Errorf("exclusive next to sharers: %v", err)
	}
	unlock(t, a)
	unlock(t, b)
	x := must(t)(Exclusive(patience(t), path))
	if _, err := TryShared(path); !errors.Is(err, ErrLocked) {
		t.Errorf("shared next to exclusive: %v", err)
	}
	unlock(t, x)
	unlock(t, x) // does nothing
	unlock(t, must(t)(TryExclusive(path)))
}

func TestWaiterGetsLockWhenItIsFreed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := must(t)(TryExclusive(path))
	got := make(chan *Lock)
	go func() { l, _ := Exclusive(patience(t), path); got <- l }()
	awaitWaiter(t, path)
	unlock(t, first)
	l := <-got
	if l == nil {
		t.Fatal("the waiter failed")
	}
	if _, err := TryExclusive(path); !errors.Is(err, ErrLocked) {
		t.Errorf("while the waiter holds it: %v", err)
	}
	unlock(t, l)
}

func TestCancelledWaitNamesHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := holder(t, path)
	ctx, cancel := context.WithCancel(patience(t))
	got := make(chan error)
	go func() { _, err := Exclusive(ctx, path); got <- err }()
	awaitWaiter(t, path)
	cancel()
	err := <-got
	if !errors.Is(err, ErrLocked) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not both ErrLocked and the context's error", err)
	}
	for _, part := range []string{path, fmt.Sprintf("pid %d (", cmd.Process.Pid), "hold-it)"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestDeadHolderFreesLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := holder(t, path)
	if _, err := TryExclusive(path); !errors.Is(err, ErrLocked) {
		t.Fatalf("while the holder lives: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	unlock(t, must(t)(Exclusive(patience(t), path)))
}

func TestEndedContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, lock := range []func(context.Context, string) (*Lock, error){Exclusive, Shared} {
		if _, err := lock(ctx, path); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestFileOfLock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	l := must(t)(Exclusive(t.Context(), path))
	defer l.Unlock()
	if l.Path() != path {
		t.Errorf("path %s", l.Path())
	}
	if st, err := os.Lstat(path); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if flags := fdFlags(t, path); flags&unix.O_CLOEXEC == 0 {
		t.Errorf("flags %o: a child inherits the lock", flags)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("an uncontended lock leaves %d files", len(entries))
	}
}

// fdFlags finds our descriptor of path and gives its flags.
func fdFlags(t *testing.T, path string) (flags int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to != path {
			continue
		}
		b, err := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "flags:")
		if _, err := fmt.Sscanf(rest, "%o", &flags); err != nil {
			t.Fatal(err)
		}
		return flags
	}
	t.Fatalf("no descriptor of %s", path)
	return 0
}

func TestUnusableFile(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		want error
	}{
		{link, unix.ELOOP},
		{filepath.Join(dir, "missing", "lock"), fs.ErrNotExist},
		{filepath.Join(dir, strings.Repeat("x", 256)), unix.ENAMETOOLONG},
	} {
		for name, lock := range map[string]func(string) (*Lock, error){
			"TryExclusive": TryExclusive, "TryShared": TryShared,
			"Exclusive": func(p string) (*Lock, error) { return Exclusive(t.Context(), p) },
			"Shared":    func(p string) (*Lock, error) { return Shared(t.Context(), p) },
		} {
			_, err := lock(tt.path)
			if !errors.Is(err, tt.want) {
				t.Errorf("%s %s: %v, want %v", name, tt.path, err, tt.want)
			}
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("the symlink was followed")
	}
}
