package freeze

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// An ended context lets nothing begin: neither a command nor a watcher.
func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := dm.NewControl(
		func(uint, []byte) error {
			t.Error("device-mapper was asked")
			return errors.New("no kernel")
		})
	_, err := Suspended(ctx, c, Request{Device: dm.ByName("x"), Limit: time.Minute},
		func() error { t.Error("the action ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A device that goes away while the watcher starts, so that the watcher does
// not find it, is one that is not there.
func TestDeviceGoesMeanwhile(t *testing.T) {
	asked := 0
	c := dm.NewControl(func(uint, []byte) error {
		if asked++; asked > 1 {
			return unix.ENXIO
		}
		return nil
	})
	// Its number is 0:0, which no watcher finds, be it in a guest or without
	// device-mapper.
	_, err := Suspended(t.Context(), c, Request{Device: dm.ByName("x"), Limit: time.Minute},
		func() error { t.Error("the action ran"); return nil })
	if !errors.Is(err, dm.ErrNotExist) {
		t.Error(err)
	}
}

// What keeps the watcher from watching is said.
func TestWatcherSaysWhy(t *testing.T) {
	c := dm.NewControl(func(uint, []byte) error { return nil })
	_, err := Suspended(t.Context(), c, Request{Device: dm.ByName("x"), Limit: time.Minute},
		func() error { t.Error("the action ran"); return nil })
	if err == nil || strings.Contains(err.Error(), "ended before it was ready") ||
		!strings.HasPrefix(err.Error(), "watcher of ") {
		t.Error(err)
	}
}

func TestRefusal(t *testing.T) {
	w := &watcher{}
	if err := w.refusal("no memory"); err.Error() != "no memory" {
		t.Error(err)
	}
	if err := w.refusal("0 16"); errors.Is(err, ErrFrozen) {
		t.Errorf("%v names a filesystem that there is not", err)
	}
	if err := error(&AboveError{Path: "/x", Err: syscall.EBUSY}); !errors.Is(err, ErrFrozen) ||
		!errors.Is(err, unix.EBUSY) {
		t.Errorf("%v is not ErrFrozen", err)
	}
	if err := error(&AboveError{Path: "/x", Err: syscall.EIO}); errors.Is(err, ErrFrozen) {
		t.Errorf("%v is ErrFrozen", err)
	}
}

// The program learns that the watcher resumes before the kernel shows it.
func TestWatcherResumes(t *testing.T) {
	answers, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	defer theirs.Close()
	w := &watcher{answers: answers}
	if w.resumes() {
		t.Error("nothing was said")
	}
	if _, err := theirs.Write([]byte{'x'}); err != nil {
		t.Fatal(err)
	}
	if !w.resumes() {
		t.Error("it was said")
	}
}

func TestGroupPath(t *testing.T) {
	for text, want := range map[string]string{
		"0::/\n": "/",
		"":       "none",
		"12:pids:/user.slice\n1:name=systemd:/x\n": "none",
		"0::/system.slice/a.service\n":             "/system.slice/a.service",
		"1:name=systemd:/\n0::/docker/x\n":         "/docker/x",
	} {
		got, ok := groupPath(text)
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestStateIn(t *testing.T) {
	for text, want := range map[string]byte{
		"12 (thin-snap) S 1 12": 'S', "12 (a) T) T 1 12": 'T', "12 (a": 0, "": 0, "12 (a)": 0,
		"12 (a) ": 0,
	} {
		if got := stateIn([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A program that would not know the watcher by its arguments starts none: it
// would start itself, which starts itself.
func TestNoEntry(t *testing.T) {
	entered.Store(false)
	defer entered.Store(true)
	if _, err := startApart([]string{watcherArg}, nil); !errors.Is(err, ErrNoEntry) {
		t.Errorf("%v", err)
	}
}
