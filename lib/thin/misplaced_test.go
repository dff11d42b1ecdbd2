package thin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
)

// TestCopiedFolder wants that the folder of a copied pool says what it is, keeps
// nobody from the pool, and goes with its own files alone.
func TestCopiedFolder(t *testing.T) {
	s := stateIn(t.TempDir())
	var warned []string
	s.Warn = func(m string) { warned = append(warned, m) }
	home := filepath.Join(s.StateDir, "demo")
	testCatalog(t, s, catalog.KindFile, home)
	copied := filepath.Join(s.StateDir, "copy")
	if err := errors.Join(labelled(filepath.Join(home, "data"), testUUID), labelled(filepath.Join(home, "metadata"), strings.Repeat("f", 32)),
		os.CopyFS(copied, os.DirFS(home)), os.Chmod(copied, 0o700), os.Chmod(copied+"/volumes", 0o700)); err != nil {
		t.Fatal(err)
	}
	_, err := s.openCatalog("copy")
	if !errors.Is(err, ErrNotFound) || !errors.Is(err, ErrCopy) || !strings.Contains(err.Error(), "is a copy of pool demo") {
		t.Errorf("%v", err)
	}
	if err := s.refusePool(t.Context(), noDevices(), "copy"); !errors.Is(err, ErrExists) || !strings.Contains(Hint(err), "pool delete copy") {
		t.Errorf("%v (%s)", err, Hint(err))
	}
	if f, ok := misplacedFinding(err); !ok || f[0].Object != copied || f[0].Repair != "" {
		t.Errorf("%v", f)
	}
	var m *catalog.MisplacedError
	errors.As(err, &m)
	if err := s.deleteCopy(t.Context(), "copy", m, false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(copied, "data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its file: %v", err)
	}
	if _, err := os.Stat(filepath.Join(copied, "metadata")); err != nil || len(warned) != 1 {
		t.Errorf("a file of others: %v, %q", err, warned)
	}
	if _, err := s.openCatalog("demo"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(home, "data")); err != nil {
		t.Error(err)
	}
}
