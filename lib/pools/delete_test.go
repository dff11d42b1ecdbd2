package pools

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/registry"
	"thinmount/lib/thintest"
)

// TestCopiedFolder copies the folder of a pool. The error for the copy must say
// that it is a copy. Deleting the copy must remove only the files that have the
// pool's label, and must not touch the original pool.
func TestCopiedFolder(t *testing.T) {
	s := thintest.System(t.TempDir())
	var warned []string
	s.Warn = func(m fault.Message) { warned = append(warned, m.String()) }
	home := filepath.Join(s.StateDir, "demo")
	thintest.Catalog(t, s, catalog.KindFile, home)
	copied := filepath.Join(s.StateDir, "copy")
	if err := errors.Join(
		thintest.Labelled(filepath.Join(home, "data"), thintest.UUID),
		thintest.Labelled(filepath.Join(home, "metadata"), strings.Repeat("f", 32)),
		os.CopyFS(copied, os.DirFS(home)),
		os.Chmod(copied, 0o700), os.Chmod(copied+"/volumes", 0o700),
	); err != nil {
		t.Fatal(err)
	}
	_, err := registry.OpenCatalog(s, "copy")
	if !errors.Is(err, fault.ErrNotFound) || !errors.Is(err, fault.ErrCopy) ||
		!strings.Contains(err.Error(), "is a copy of pool demo") {
		t.Errorf("%v", err)
	}
	if err := refusePool(
		t.Context(), s, thintest.NoDevices(), "copy",
	); !errors.Is(err, fault.ErrExists) ||
		!strings.Contains(thintest.Show(host.RemedyOf(err)), `fault.DeletePool{Pool:"copy"`) {
		t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
	}
	var m *catalog.MisplacedError
	errors.As(err, &m)
	if err := deleteCopy(t.Context(), s, "copy", m, false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(copied, "data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its file: %v", err)
	}
	if _, err := os.Stat(filepath.Join(copied, "metadata")); err != nil || len(warned) != 1 {
		t.Errorf("a file of others: %v, %q", err, warned)
	}
	if _, err := registry.OpenCatalog(s, "demo"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(home, "data")); err != nil {
		t.Error(err)
	}
}

// TestClearedPoolSparesOthers makes a pool where something else has the path of
// its data file. Making the pool fails for this reason, and clearing away what
// was made must not remove that other thing.
func TestClearedPoolSparesOthers(t *testing.T) {
	stuff := []byte("a thesis")
	// It begins with zeros, as a file does whose label is not written yet.
	large := append(bytes.Repeat([]byte{0}, 4096), stuff...)
	for what, put := range map[string]func(path string) error{
		"a file": func(path string) error { return os.WriteFile(path, stuff, 0o600) },
		"zeroes": func(path string) error { return os.WriteFile(path, large, 0o600) },
		"large": func(path string) error {
			return errors.Join(os.WriteFile(path, large, 0o600),
				os.Truncate(path, label.Reserved+1<<30))
		},
		"a folder":  func(path string) error { return os.MkdirAll(path+"/sub", 0o700) },
		"a symlink": func(path string) error { return os.Symlink("/dev/null", path) },
		"a FIFO":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"other pool": func(path string) error {
			return thintest.Labelled(path, strings.Repeat("f", 32))
		},
	} {
		t.Run(what, func(t *testing.T) {
			srv := t.TempDir()
			if err := put(filepath.Join(srv, "data")); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(filepath.Join(srv, "data"))
			p := halfMadePool(t, thintest.System(t.TempDir()), srv)
			if err := makeBacking(
				t.Context(), p, p.Catalog.Pool().Data, "data", &backing.Claims{},
			); !errors.Is(err, unix.EEXIST) {
				t.Errorf("made: %v", err)
			}
			if err := p.ClearHalfMade(t.Context()); err != nil {
				t.Error(err)
			}
			after, err := os.Lstat(filepath.Join(srv, "data"))
			if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() {
				t.Errorf("it has become %v, %v", after, err)
			}
			if pools, err := p.Sys.Catalogs().Pools(); err != nil || len(pools) > 0 {
				t.Errorf("pools: %v, %v", pools, err)
			}
		})
	}
}

// TestPoolRefusesWhatIsThere removes pool.json from the folder of a pool. A new
// pool must not take this name, and the errors must say how to restore
// pool.json. It also wants no pool planned in a folder that already has a file
// "metadata".
func TestPoolRefusesWhatIsThere(t *testing.T) {
	s := thintest.System(t.TempDir())
	p := halfMadePool(t, s, "")
	data := p.Catalog.Pool().Data.Path
	if err := errors.Join(thintest.Labelled(data, thintest.UUID),
		os.Remove(filepath.Join(p.Catalog.Dir(), "pool.json"))); err != nil {
		t.Fatal(err)
	}
	err := refusePool(t.Context(), s, p.DM, "demo")
	if !errors.Is(err, fault.ErrExists) ||
		!strings.Contains(thintest.Show(host.RemedyOf(err)),
			"restore "+p.Catalog.Dir()+"/pool.json") {
		t.Errorf("%v; hint %q", err, thintest.Show(host.RemedyOf(err)))
	}
	_, err = registry.OpenCatalog(s, "demo")
	if !errors.Is(err, fault.ErrNotFound) ||
		!strings.Contains(thintest.Show(host.RemedyOf(err)),
			"restore "+p.Catalog.Dir()+"/pool.json") {
		t.Errorf("%v; hint %q", err, thintest.Show(host.RemedyOf(err)))
	}
	srv := t.TempDir()
	if err := os.WriteFile(filepath.Join(srv, "metadata"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := PoolSpec{Name: "other", Dir: srv}
	if err := checkPool(&spec); err != nil {
		t.Fatal(err)
	}
	if _, _, err := plan(s, spec); !errors.Is(err, fault.ErrExists) ||
		!strings.Contains(err.Error(), filepath.Join(srv, "metadata")) {
		t.Errorf("%v", err)
	}
}
