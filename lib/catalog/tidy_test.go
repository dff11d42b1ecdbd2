package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Tidy removes temp files, and nothing else.
func TestTidy(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	c, err := s.Create(goodPool())
	if err != nil {
		t.Fatal(err)
	}
	v := goodVolume()
	if err := c.PutVolume(v); err != nil {
		t.Fatal(err)
	}
	stay := []string{"data", ".hidden", "volumes/.hidden"}
	for _, name := range append(
		stay, ".pool.json.tmp", "volumes/.new.json.tmp", "volumes/"+v.Name+".json.tmp",
	) {
		if err := os.WriteFile(filepath.Join(c.Dir(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, err := c.Tidy()
	if err != nil || len(names) != 1 || !names[v.Name] {
		t.Errorf("%v, %v: want %s alone", names, err, v.Name)
	}
	for _, name := range append(stay, "pool.json", "volumes/"+v.Name+".json") {
		if _, err := os.Lstat(filepath.Join(c.Dir(), name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{".pool.json.tmp", "volumes/.new.json.tmp"} {
		if _, err := os.Lstat(filepath.Join(c.Dir(), name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want it gone", name, err)
		}
	}
}

// TidyOf looks at the volumes that it is told of, and at no folder.
func TestTidyOf(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "a", "b")
	begin(t, c, "new")
	if err := c.Finish("new"); err != nil {
		t.Fatal(err)
	}
	temps := []string{".pool.json.tmp", ".journal.tmp", "volumes/.a.json.tmp",
		"volumes/.gone.json.tmp", "volumes/.b.json.tmp"}
	for _, name := range temps {
		if err := os.WriteFile(filepath.Join(c.Dir(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.TidyOf([]string{"a", "gone", "new", "../x"})
	if err != nil || len(got) != 3 || !got["a"] || got["gone"] || !got["new"] {
		t.Errorf("%v, %v", got, err)
	}
	for i, name := range temps {
		_, err := os.Lstat(filepath.Join(c.Dir(), name))
		if last := i == len(temps)-1; last != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The test stops Create and Destroy at each of their steps. ClearHalf removes a
// folder without a pool.json. A pool that has one stays.
func TestHalves(t *testing.T) {
	crash := errors.New("crash")
	for _, destroy := range []bool{false, true} {
		for fuse := range 20 {
			s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
			broken := s
			left := fuse
			broken.disk.before = func(string, string) error {
				if left--; left < 0 {
					return crash
				}
				return nil
			}
			if destroy {
				if _, err := s.Create(goodPool()); err != nil {
					t.Fatal(err)
				}
				if c, err := broken.Open(goodPool().Name); err == nil {
					c.Destroy()
				}
			} else {
				broken.Create(goodPool())
			}
			halves, err := s.Halves()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range halves {
				if err := s.ClearHalf(name); err != nil {
					t.Error(err)
				}
			}
			pools, _ := s.Pools()
			entries, _ := os.ReadDir(s.Dir)
			if len(entries) != len(pools) || len(halves) > 0 && slices.Contains(pools, halves[0]) {
				t.Errorf("destroy=%v, stopped after %d steps: halves %v, %d entries for pools %v",
					destroy, fuse, halves, len(entries), pools)
			}
		}
	}
}

// If pool.json was lost, ClearHalf keeps the pool's data.
func TestClearHalfSparesData(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	c, err := s.Create(goodPool())
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(c.Dir(), "data")
	if err := errors.Join(
		os.WriteFile(data, []byte("precious"), 0o600), os.Remove(c.poolPath()),
	); err != nil {
		t.Fatal(err)
	}
	if err := s.ClearHalf(goodPool().Name); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(data); err != nil {
		t.Error(err)
	}
	if err := s.ClearHalf("../" + goodPool().Name); err == nil {
		t.Error("took a path for a name")
	}
}

// If the state directory is a filesystem of its own, Halves leaves out
// lost+found, which fsck(8) needs.
func TestHalvesKnowsFilesystems(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	for _, dir := range []string{
		s.Dir, filepath.Join(s.Dir, "lost+found"), filepath.Join(s.Dir, "half"),
	} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if halves, err := s.Halves(); err != nil || !slices.Equal(halves, []string{"half"}) {
		t.Errorf("%v, %v", halves, err)
	}
}
