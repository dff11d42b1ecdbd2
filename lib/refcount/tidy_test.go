package refcount

import (
	"context"
	"maps"
	"os"
	"testing"

	"thinmount/lib/atomicfile"
	"thinmount/lib/spec"
)

// TestTidy wants that what a killed writer left is found and goes, and nothing
// else.
func TestTidy(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	ctx := context.Background()
	killed := func(volume spec.Volume) {
		t.Helper()
		r, err := s.Lock(ctx, volume)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := os.WriteFile(atomicfile.Temp(s.recordPath(volume)), nil,
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	killed(base)
	killed(of("demo", "base.json"))
	killed(of("other", "base"))
	if r, err := s.Lock(ctx, of("demo", "idle")); err != nil || r.Close() != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"base": true, "base.json": true, "idle": false}
	if got, err := s.Traces("demo"); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v: want %v", got, err, want)
	}
	r, err := s.Lock(ctx, base)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Tidy(); err != nil {
		t.Error(err)
	}
	want["base"] = false
	if got, err := s.Traces("demo"); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v: want %v", got, err, want)
	}
	if got, _ := s.Traces("other"); !got["base"] {
		t.Errorf("%v: another pool's went", got)
	}
}

func TestLockedPools(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	l, err := s.PoolLock(context.Background(), "demo", false)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Lock(context.Background(), of("other", "base")); err != nil || r.Close() != nil {
		t.Fatal(err)
	}
	if got, err := s.LockedPools(); err != nil || len(got) != 1 || got[0] != "demo" {
		t.Errorf("%v, %v: want demo", got, err)
	}
	if err := l.Remove(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.LockedPools(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v: want none", got, err)
	}
}
