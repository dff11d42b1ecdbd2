package refcount

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newStore(t *testing.T) Store { return Store{Dir: filepath.Join(t.TempDir(), "thin")} }

func lock(t *testing.T, s Store) *Ref {
	t.Helper()
	r, err := s.Lock(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// save writes a record, and lets the volume go.
func save(t *testing.T, s Store, r Record) {
	t.Helper()
	ref := lock(t, s)
	if err := errors.Join(ref.Save(r), ref.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestSaveReadClear(t *testing.T) {
	s := newStore(t)
	if _, err := s.Read(base); !errors.Is(err, ErrNoRecord) ||
		!errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there yet: %v", err)
	}
	want, _ := recorded()
	save(t, s, want)
	if got, err := s.Read(base); err != nil || got != want {
		t.Errorf("read %+v, %v", got, err)
	}
	ref := lock(t, s)
	if ref.Record() != want {
		t.Errorf("locked %+v", ref.Record())
	}
	if err := errors.Join(ref.Clear(), ref.Clear(), ref.Close(), ref.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Read(base); !errors.Is(err, ErrNoRecord) ||
		ref.Record() != (Record{Volume: base}) {
		t.Errorf("after clear: %v, %+v", err, ref.Record())
	}
}

func TestEmptyRecordIsNoFile(t *testing.T) {
	s := newStore(t)
	r, _ := recorded()
	save(t, s, r)
	save(t, s, Record{PoolUUID: "u1"})
	if names := listDir(t, filepath.Join(s.Dir, "refs")); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

func TestAddDrop(t *testing.T) {
	s := newStore(t)
	ref := lock(t, s)
	defer ref.Close()
	if ref.Add() == nil || ref.Drop() == nil {
		t.Error("counted without a mount")
	}
	if err := errors.Join(ref.Save(Record{MountedOn: "/a", References: 1}), ref.Add(), ref.Add(),
		ref.Drop()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(base); err != nil || got.References != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := ref.Drop(); err != nil {
		t.Error(err)
	}
	if err := ref.Drop(); err == nil || !strings.Contains(err.Error(),
		"only one reference is left") || ref.Record().References != 1 {
		t.Errorf("dropped the last one: %v, %+v", err, ref.Record())
	}
	if err := ref.Save(Record{MountedOn: "/a", References: maxReferences}); err != nil ||
		ref.Add() == nil {
		t.Errorf("more than the most: %v, %+v", err, ref.Record())
	}
}

func TestImpossibleRecordIsNotWritten(t *testing.T) {
	ref := lock(t, newStore(t))
	defer ref.Close()
	for _, r := range []Record{
		{References: -1}, {References: 1}, {MountedOn: "a", References: 1},
		{Pinned: true, MountID: -1}, {Pinned: true, ThinID: 1 << 24},
	} {
		if err := ref.Save(r); err == nil {
			t.Errorf("saved %+v", r)
		}
	}
}

func TestReconcileWritesWhatItChanges(t *testing.T) {
	s := newStore(t)
	r, o := recorded()
	save(t, s, r)
	path := s.recordPath(base)
	before, _ := os.Stat(path)
	ref := lock(t, s)
	defer ref.Close()
	if _, err := ref.Reconcile(o); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("rewritten though nothing changed: %v", err)
	}
	o.Mounts, o.Lives = nil, true
	if got, err := ref.Reconcile(o); err != nil || !got.Elsewhere || !ref.Record().Elsewhere {
		t.Errorf("elsewhere: %+v, %v", got, err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("rewritten though nothing to write changed: %v", err)
	}
	o.Active = false
	if got, err := ref.Reconcile(o); err != nil || !got.Empty() {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Read(base); !errors.Is(err, ErrNoRecord) {
		t.Errorf("still there: %v", err)
	}
}

func TestList(t *testing.T) {
	s := newStore(t)
	if got, err := s.List(); err != nil || len(got) != 0 {
		t.Errorf("nothing there: %v, %v", got, err)
	}
	for _, name := range []string{"a", "b", "c"} {
		ref, err := s.TryLock(of("demo", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ref.Save(Record{Pinned: true}), ref.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"demo@b.json": "{", ".demo@c.json.tmp": "{", "README": "", "x.json": "",
		"demo@.hidden.json": "",
	} {
		if err := os.WriteFile(filepath.Join(s.Dir, "refs", name), []byte(text),
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.List()
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || filepath.Base(corrupt.Path) != "demo@b.json" ||
		strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("error: %v", err)
	}
	if len(got) != 2 || got[0].Volume.Name != "a" || got[1].Volume.Name != "c" {
		t.Errorf("got %+v", got)
	}
}
