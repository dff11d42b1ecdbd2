package refcount

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"thinmount/lib/filelock"
	"thinmount/lib/privdir"
)

func TestLocks(t *testing.T) {
	s := newStore(t)
	a := lock(t, s)
	if _, err := s.TryLock(base); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	b, err := s.TryLock(of("demo", "other"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.PoolLock(t.Context(), "demo", true)
	if err != nil {
		t.Fatal(err)
	}
	q, err := s.TryPoolLock("demo", true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.TryPoolLock("demo", false); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("exclusive next to shared: %v", err)
	}
	if err := errors.Join(p.Unlock(), q.Unlock()); err != nil {
		t.Fatal(err)
	}
	x, err := s.PoolLock(t.Context(), "demo", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.TryPoolLock("demo", true); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("shared next to exclusive: %v", err)
	}
	if names := strings.Join(listDir(t, filepath.Join(s.Dir, "locks")),
		" "); names != "demo@ demo@@turn demo@base demo@other" {
		t.Errorf("lock files: %s", names)
	}
	if err := errors.Join(x.Unlock(), a.CloseRemove(), b.Close()); err != nil {
		t.Error(err)
	}
	if names := strings.Join(listDir(t, filepath.Join(s.Dir, "locks")),
		" "); names != "demo@ demo@@turn demo@other" {
		t.Errorf("lock files: %s", names)
	}
}

// A volume's mount lock keeps nobody from the volume's lock. A deleted volume
// has neither file.
func TestMountLock(t *testing.T) {
	s := newStore(t)
	m, err := s.TryMountLock(base)
	if err != nil {
		t.Fatal(err)
	}
	a := lock(t, s)
	if _, err := s.TryMountLock(base); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("two mounts at once: %v", err)
	}
	is := func(want bool) {
		t.Helper()
		if got, err := s.IsBeingMounted(base); got != want || err != nil {
			t.Errorf("being mounted: %v, %v", got, err)
		}
	}
	is(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.MountLock(ctx, base); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(m.Unlock(), a.CloseRemove()); err != nil {
		t.Error(err)
	}
	if left := listDir(t, filepath.Join(s.Dir, "locks")); len(left) != 0 {
		t.Errorf("lock files: %s", left)
	}
	is(false)
	if m, err = s.MountLock(t.Context(), base); err != nil {
		t.Fatal(err)
	}
	if err := m.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockGivesUp(t *testing.T) {
	s := newStore(t)
	a := lock(t, s)
	defer a.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Lock(ctx, base); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestBadNames(t *testing.T) {
	s := newStore(t)
	for _, n := range [][2]string{
		{"", "v"}, {"p", ""}, {".", "v"}, {"p", ".."}, {"p/q", "v"}, {"p", "v/w"}, {"p@q", "v"},
		{"p", "v@w"}, {"p", "v\x00"}, {"p", ".v"},
	} {
		if _, err := s.TryLock(of(n[0], n[1])); err == nil {
			t.Errorf("locked %q", n)
		}
		if n[1] != "" {
			if _, err := s.Read(of(n[0], n[1])); err == nil || errors.Is(err, ErrNoRecord) {
				t.Errorf("read %q: %v", n, err)
			}
		}
		if n[1] == "v" {
			if _, err := s.TryPoolLock(n[0], false); err == nil {
				t.Errorf("locked pool %q", n[0])
			}
			if _, err := s.PoolLock(t.Context(), n[0], false); err == nil {
				t.Errorf("locked pool %q", n[0])
			}
		}
	}
}

func TestUnfitDirectory(t *testing.T) {
	for _, sub := range []string{"", "locks", "refs"} {
		s := newStore(t)
		lock(t, s).Close()
		if err := os.Chmod(filepath.Join(s.Dir, sub), 0o770); err != nil {
			t.Fatal(err)
		}
		var unfit *privdir.Error
		if _, err := s.TryLock(base); !errors.As(err, &unfit) {
			t.Errorf("%q writable by the group: %v", sub, err)
		}
	}
	if err := CheckDir(filepath.Join(t.TempDir(), "missing", "thin")); !errors.Is(err,
		fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
