package reexec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets this program be the second process too, as the real ones do.
// One that is to unmount /hang, or to sync a FIFO, hangs, until we end.
func TestMain(m *testing.M) {
	if isChild(os.Args) && (os.Args[0] == syncArg && isFIFO(syncFD) ||
		os.Args[0] == unmountArg && os.Args[1] == "/hang") {
		for parent := os.Getppid(); os.Getppid() == parent; {
			time.Sleep(10 * time.Millisecond)
		}
		os.Exit(0)
	}
	RunIfChild()
	os.Exit(m.Run())
}

func isFIFO(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO
}

func TestErrnoComesBack(t *testing.T) {
	err := Unmount(t.Context(), "/nonexistent/folder", unix.UMOUNT_NOFOLLOW)
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EPERM) {
		t.Errorf("%v, want that it is not there, or not root's", err)
	}
}

// What leads through our own descriptors is found by the second process, too.
func TestOwnDescriptor(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	err = Unmount(t.Context(), fmt.Sprintf("/proc/self/fd/%d", dir.Fd()), 0)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
		t.Errorf("%v, want that nothing is mounted there, or not root's", err)
	}
}

// A program that would not know the second process by its arguments starts
// none: it would start itself, which starts itself.
func TestNoEntry(t *testing.T) {
	entered.Store(false)
	defer entered.Store(true)
	if err := Unmount(t.Context(), "/nonexistent/folder", 0); !errors.Is(err, ErrNoEntry) {
		t.Errorf("unmount: %v", err)
	}
	if err := Sync(t.Context(), os.Stdin, nil); !errors.Is(err, ErrNoEntry) {
		t.Errorf("sync: %v", err)
	}
}

func TestOutcome(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, row := range []struct {
		said string
		err  error
		want error
	}{
		{"0\n", nil, nil},
		{"16\n", nil, unix.EBUSY},
		{"0\n", broken, broken},
	} {
		if got := outcome(row.said, row.err); !errors.Is(got, row.want) {
			t.Errorf("%q, %v: %v, want %v", row.said, row.err, got, row.want)
		}
	}
	for _, said := range []string{"", "x"} {
		if outcome(said, nil) == nil {
			t.Errorf("%q is a success", said)
		}
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Unmount(ctx, "/nonexistent", 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestIsChild(t *testing.T) {
	for _, row := range []struct {
		args []string
		want bool
	}{
		{[]string{unmountArg, "/mnt", "8"}, true}, {[]string{unmountArg, "/mnt"}, false},
		{[]string{syncArg}, true}, {[]string{syncArg, "x"}, false}, {nil, false},
	} {
		if isChild(row.args) != row.want {
			t.Errorf("%q: %v", row.args, !row.want)
		}
	}
}

func TestSync(t *testing.T) {
	for _, flags := range []int{os.O_RDONLY, unix.O_PATH} {
		dir, err := os.OpenFile(t.TempDir(), flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		if err := Sync(t.Context(), dir, func() error { return nil }); err != nil {
			t.Error(flags, err)
		}
	}
}

// A sync that hangs is left behind when ctx ends, or when looking around finds
// a reason.
func TestHangingSync(t *testing.T) {
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	full := errors.New("full")
	looks := 0
	err = Sync(t.Context(), f, func() error {
		if looks++; looks < 3 {
			return nil
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Sync(ctx, f, func() error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// What hangs is left behind when ctx ends.
func TestHangingUnmount(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Unmount(ctx, "/hang", 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
