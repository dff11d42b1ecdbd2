package refcount

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"thinmount/lib/spec"
)

func TestEntryNames(t *testing.T) {
	for path, want := range map[string]Entry{
		"locks/demo@":              {Kind: KindLock, Volume: spec.Volume{Pool: "demo"}},
		"locks/demo@@turn":         {Kind: KindLock, Volume: spec.Volume{Pool: "demo"}},
		"locks/demo@base":          {Kind: KindLock, Volume: base},
		"locks/demo@base@turn":     {Kind: KindLock, Volume: base},
		"locks/stranger":           {Kind: KindOther},
		"locks/.demo@base":         {Kind: KindOther},
		"refs/demo@base.json":      {Kind: KindRecord, Volume: base},
		"refs/demo@a.json.json":    {Kind: KindRecord, Volume: of("demo", "a.json")},
		"refs/.demo@base.json.tmp": {Kind: KindTemp, Volume: base},
		"refs/.demo@base.json":     {Kind: KindOther},
		"refs/demo@base.json.tmp":  {Kind: KindOther},
		"refs/demo@.json":          {Kind: KindOther},
		"refs/demo@base":           {Kind: KindOther},
		"refs/demo@base.json~":     {Kind: KindOther},
	} {
		want.Path = path
		if got := entry(path, filepath.Dir(path) == "locks"); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}

// A look makes no file, and meets the holders of locks.
func TestLookLeavesNothing(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if lock, err := s.LookLock(ctx, "demo"); lock != nil || err != nil {
		t.Errorf("lock of nobody: %v, %v", lock, err)
	}
	if free, err := s.IsFree(base); !free || err != nil {
		t.Errorf("free: %v, %v", free, err)
	}
	if all, err := s.Entries(); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := os.Lstat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("a folder was made: %v", err)
	}
	ref, err := s.Lock(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if free, err := s.IsFree(base); free || err != nil {
		t.Errorf("locked by us: %v, %v", free, err)
	}
	ref.Close()
	if free, err := s.IsFree(base); !free || err != nil {
		t.Errorf("given back: %v, %v", free, err)
	}
	held, err := s.PoolLock(t.Context(), "demo", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LookLock(ctx, "demo"); err == nil {
		t.Error("the pool's lock was given twice")
	}
	held.Unlock()
	lock, err := s.LookLock(t.Context(), "demo")
	if lock == nil || err != nil {
		t.Fatal(err)
	}
	lock.Unlock()
}

func TestDropTemp(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	ref, err := s.Lock(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	temp, other := filepath.Join(s.Dir, "refs", ".demo@base.json.tmp"), filepath.Join(s.Dir, "refs",
		".demo@one.json.tmp")
	for _, path := range []string{temp, other} {
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Entries()
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, e := range all {
		if err := ref.DropTemp(e); (err == nil) != (e.Path == temp) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if _, err := os.Lstat(temp); !os.IsNotExist(err) {
		t.Error(err)
	}
	if _, err := os.Lstat(other); err != nil {
		t.Error(err)
	}
}
