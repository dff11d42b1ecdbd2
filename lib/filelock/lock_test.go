package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
	if x.Waited() {
		t.Error("waited for a free lock")
	}
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
	if !l.Waited() {
		t.Error("does not know that it has waited")
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

// TestMark wants a mark to be seen by later holders, and a lock not to make
// one.
func TestMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := must(t)(TryExclusive(path))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	unlock(t, l)
	l = must(t)(TryExclusive(path))
	if at, err := l.Marked(); err != nil || at.Sub(old).Abs() > time.Second {
		t.Errorf("a lock has marked the file: %v, %v", at, err)
	}
	if err := l.Mark(); err != nil {
		t.Fatal(err)
	}
	unlock(t, l)
	l = must(t)(TryShared(path))
	defer unlock(t, l)
	if at, err := l.Marked(); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("marked at %v, %v", at, err)
	}
}
