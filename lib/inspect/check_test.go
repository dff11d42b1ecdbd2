package inspect

import (
	"os"
	"path/filepath"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/registry"
	"thinmount/lib/thintest"
)

// TestMisplacedFinding copies the folder of a pool and wants a finding about
// the copy that has no repair.
func TestMisplacedFinding(t *testing.T) {
	s := thintest.System(t.TempDir())
	home, copied := filepath.Join(s.StateDir, "demo"), filepath.Join(s.StateDir, "copy")
	thintest.Catalog(t, s, catalog.KindFile, home)
	if err := os.CopyFS(copied, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	os.Chmod(copied, 0o700)
	os.Chmod(copied+"/volumes", 0o700)
	_, err := registry.OpenCatalog(s, "copy")
	if f, ok := misplacedFinding(err); !ok || f[0].Object != copied || f[0].Repair != nil {
		t.Errorf("%v", f)
	}
}
