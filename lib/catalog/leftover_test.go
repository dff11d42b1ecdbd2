package catalog

import (
	"os"
	"path/filepath"
	"testing"
)

// Temps lists each file that a crash may leave at any step of a write, and no
// other file.
func TestTemps(t *testing.T) {
	s := Store{Dir: filepath.Join(memory(t), "thin")}
	c, err := s.Create(goodPool())
	if err != nil {
		t.Fatal(err)
	}
	dir := c.Dir()
	for path, wanted := range map[string]bool{
		".pool.json.tmp": true, "volumes/.base.json.tmp": true, "volumes/.a.tmp.json.tmp": true,
		".base.json.tmp": false, "volumes/.-x.json.tmp": false, "volumes/base.json": false,
		"volumes/.base.json.tmp2": false, "data": false,
	} {
		full := filepath.Join(dir, path)
		if err := os.WriteFile(full, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := c.Temps()
		if err != nil || (len(all) == 1) != wanted {
			t.Errorf("%s: %v, %v", path, all, err)
		}
		for _, temp := range all {
			if err := c.RemoveTemp(temp); err != nil {
				t.Error(err)
			}
		}
		if _, err := os.Lstat(full); os.IsNotExist(err) != wanted {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := c.RemoveTemp(Temp{Path: filepath.Join(t.TempDir(), ".pool.json.tmp")}); err == nil {
		t.Error("removed a file that is elsewhere")
	}
}
