package engine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// halfMadePool returns a pool whose creation was interrupted. Its files are in
// dir, or in the catalog's own folder if dir is "".
func halfMadePool(t *testing.T, s *host.System, dir string) *Pool {
	t.Helper()
	if dir == "" {
		dir = filepath.Join(s.StateDir, "demo")
	}
	cat := thintest.Catalog(t, s, catalog.KindFile, dir, catalog.Intent{Op: catalog.OpCreatePool})
	return &Pool{Sys: s, DM: thintest.NoDevices(), Catalog: cat}
}

// TestClearedPoolLeavesNoLock removes a pool with the lock file of a volume
// that has no record. No later command would remove that file.
func TestClearedPoolLeavesNoLock(t *testing.T) {
	s := thintest.System(t.TempDir())
	p := halfMadePool(t, s, "")
	for _, name := range []string{"demo/left", "other/left"} {
		pool, volume := filepath.Split(name)
		ref, err := s.Refs().Lock(t.Context(),
			spec.Volume{Pool: filepath.Clean(pool), Name: volume})
		if err != nil {
			t.Fatal(err)
		}
		ref.Close()
	}
	if err := p.ClearHalfMade(t.Context()); err != nil {
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

// TestClearedPoolTakesItsFiles checks that ClearHalfMade removes the file that
// CreatePool leaves at each step.
func TestClearedPoolTakesItsFiles(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"empty": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"unlabelled": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600),
				os.Truncate(path, label.Reserved+1<<30))
		},
		"labelled": func(path string) error { return thintest.Labelled(path, thintest.UUID) },
	} {
		t.Run(what, func(t *testing.T) {
			srv := t.TempDir()
			p := halfMadePool(t, thintest.System(t.TempDir()), srv)
			if err := put(filepath.Join(srv, "data")); err != nil {
				t.Fatal(err)
			}
			if err := p.ClearHalfMade(t.Context()); err != nil {
				t.Error(err)
			}
			if entries, _ := os.ReadDir(srv); len(entries) > 0 {
				t.Errorf("left: %v", entries)
			}
		})
	}
}

// TestTidyGoesOn checks that a pool that cannot be removed does not keep
// another one from being removed.
func TestTidyGoesOn(t *testing.T) {
	s := thintest.System(t.TempDir())
	srv := t.TempDir()
	halfMadePool(t, s, filepath.Join(srv, "file", "below")) // no folder
	if err := os.WriteFile(filepath.Join(srv, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(s.StateDir, "half")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := clearHalfMadePools(
		t.Context(), s, thintest.NoDevices(),
	); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(half); !errors.Is(err, unix.ENOENT) {
		t.Errorf("%s: %v", half, err)
	}
}
