package thin

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
)

// noDevices is a kernel without any.
func noDevices() *dm.Control { return dm.NewControl(func(uint, []byte) error { return unix.ENXIO }) }

// halfMadePool is a pool on files in dir, or in the catalog's own folder, that is
// being made.
func halfMadePool(t *testing.T, s *System, dir string) *pool {
	t.Helper()
	if dir == "" {
		dir = filepath.Join(s.StateDir, "demo")
	}
	cat := testCatalog(t, s, catalog.KindFile, dir, catalog.Operation{Op: catalog.OpCreatePool})
	return &pool{sys: s, dm: noDevices(), cat: cat}
}

// TestClearedPoolLeavesNoLock clears away a pool of which a lock is left whose
// volume has no record (any more): nobody would come by for it again.
func TestClearedPoolLeavesNoLock(t *testing.T) {
	s := stateIn(t.TempDir())
	p := halfMadePool(t, s, "")
	for _, name := range []string{"demo/left", "other/left"} {
		pool, volume := filepath.Split(name)
		ref, err := s.refs().Lock(t.Context(), filepath.Clean(pool), volume)
		if err != nil {
			t.Fatal(err)
		}
		ref.Close()
	}
	if err := p.clearHalfMade(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(s.RunDir, "locks"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, []string{"other@left"}) {
		t.Errorf("left: %v, %v; want other@left alone", names, err)
	}
}

// TestClearedPoolSparesOthers clears away a pool where something else has the
// place of its files: making it has failed for that reason.
func TestClearedPoolSparesOthers(t *testing.T) {
	stuff := []byte("a thesis")
	large := append(bytes.Repeat([]byte{0}, 4096), stuff...) // begins as a file without a label does
	for what, put := range map[string]func(path string) error{
		"a file": func(path string) error { return os.WriteFile(path, stuff, 0o600) },
		"zeroes": func(path string) error { return os.WriteFile(path, large, 0o600) },
		"large": func(path string) error {
			return errors.Join(os.WriteFile(path, large, 0o600), os.Truncate(path, label.Reserved+1<<30))
		},
		"a folder":   func(path string) error { return os.MkdirAll(path+"/sub", 0o700) },
		"a symlink":  func(path string) error { return os.Symlink("/dev/null", path) },
		"a FIFO":     func(path string) error { return unix.Mkfifo(path, 0o600) },
		"other pool": func(path string) error { return labelled(path, strings.Repeat("f", 32)) },
	} {
		t.Run(what, func(t *testing.T) {
			srv := t.TempDir()
			if err := put(filepath.Join(srv, "data")); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(filepath.Join(srv, "data"))
			p := halfMadePool(t, stateIn(t.TempDir()), srv)
			if err := p.makeBacking(t.Context(), p.cat.Pool().Data, "data", &claims{}); !errors.Is(err, unix.EEXIST) {
				t.Errorf("made: %v", err)
			}
			if err := p.clearHalfMade(t.Context()); err != nil {
				t.Error(err)
			}
			after, err := os.Lstat(filepath.Join(srv, "data"))
			if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() {
				t.Errorf("it has become %v, %v", after, err)
			}
			if pools, err := p.sys.catalogs().Pools(); err != nil || len(pools) > 0 {
				t.Errorf("pools: %v, %v", pools, err)
			}
		})
	}
}

func labelled(path, uuid string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Truncate(2<<20), label.Write(f, label.Label{Pool: "other", UUID: uuid, Role: "data"}))
}

// TestClearedPoolTakesItsFiles wants that what making a pool leaves at any step
// goes.
func TestClearedPoolTakesItsFiles(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"empty": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"unlabelled": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, label.Reserved+1<<30))
		},
		"labelled": func(path string) error { return labelled(path, testUUID) },
	} {
		t.Run(what, func(t *testing.T) {
			srv := t.TempDir()
			p := halfMadePool(t, stateIn(t.TempDir()), srv)
			if err := put(filepath.Join(srv, "data")); err != nil {
				t.Fatal(err)
			}
			if err := p.clearHalfMade(t.Context()); err != nil {
				t.Error(err)
			}
			if entries, _ := os.ReadDir(srv); len(entries) > 0 {
				t.Errorf("left: %v", entries)
			}
		})
	}
}

// TestPoolRefusesWhatIsThere wants that a name is not taken whose folder holds the
// rest of a pool, that this is said by whoever looks for the pool, and that no
// file of somebody else's is in the way.
func TestPoolRefusesWhatIsThere(t *testing.T) {
	s := stateIn(t.TempDir())
	p := halfMadePool(t, s, "")
	data := p.cat.Pool().Data.Path
	if err := errors.Join(labelled(data, testUUID), os.Remove(filepath.Join(p.cat.Dir(), "pool.json"))); err != nil {
		t.Fatal(err)
	}
	err := s.refusePool(t.Context(), p.dm, "demo")
	if !errors.Is(err, ErrExists) || !strings.Contains(Hint(err), "restore "+p.cat.Dir()+"/pool.json") {
		t.Errorf("%v; hint %q", err, Hint(err))
	}
	_, err = s.openCatalog("demo")
	if !errors.Is(err, ErrNotFound) || !strings.Contains(Hint(err), "restore "+p.cat.Dir()+"/pool.json") {
		t.Errorf("%v; hint %q", err, Hint(err))
	}
	srv := t.TempDir()
	if err := os.WriteFile(filepath.Join(srv, "metadata"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := PoolSpec{Name: "other", Dir: srv}
	if err := checkPool(&spec); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.plan(spec); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), filepath.Join(srv, "metadata")) {
		t.Errorf("%v", err)
	}
}

// TestTidyGoesOn wants that a pool that cannot be cleared away keeps no other one.
func TestTidyGoesOn(t *testing.T) {
	s := stateIn(t.TempDir())
	srv := t.TempDir()
	halfMadePool(t, s, filepath.Join(srv, "file", "below")) // no folder
	if err := os.WriteFile(filepath.Join(srv, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(s.StateDir, "half")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.tidyPools(t.Context(), noDevices()); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(half); !errors.Is(err, unix.ENOENT) {
		t.Errorf("%s: %v", half, err)
	}
}
