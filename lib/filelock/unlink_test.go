package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A process waits for a file, and another one unlinks the file. The first must
// not get a lock on a file that no other process finds.
func TestUnlinkedWhileWaiting(t *testing.T) {
	for name, unlink := range map[string]func(*Lock) error{
		"Remove":        (*Lock).Remove,
		"by a stranger": func(l *Lock) error { return errors.Join(os.Remove(l.path), l.Unlock()) },
		"and made anew": func(l *Lock) error {
			return errors.Join(os.Remove(l.path), os.WriteFile(l.path, nil, 0o600), l.Unlock())
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			first := must(t)(TryExclusive(path))
			got := make(chan *Lock)
			go func() { l, _ := Exclusive(patience(t), path); got <- l }()
			awaitWaiter(t, path)
			if err := unlink(first); err != nil {
				t.Fatal(err)
			}
			l := <-got
			if l == nil {
				t.Fatal("the waiter failed")
			}
			if _, err := TryExclusive(path); !errors.Is(err, ErrLocked) {
				t.Errorf("the waiter holds a file that is gone: %v", err)
			}
			unlock(t, l)
		})
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	s := must(t)(Shared(t.Context(), path)) // makes the turnstile
	if err := s.Remove(); err == nil {
		t.Error("a shared lock was removed")
	}
	unlock(t, s)
	x := must(t)(TryExclusive(path))
	if err := x.Remove(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
	if err := x.Remove(); err == nil {
		t.Error("removed a lock that is not held")
	}
	unlock(t, x)
}
