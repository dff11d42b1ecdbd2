package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"thinmount/lib/spec"
)

// Temps lists a file exactly if a write would give that name to a temp file, to
// the byte. RemoveTemp removes each file that Temps lists.
func FuzzTemps(f *testing.F) {
	for _, name := range []string{
		".pool.json.tmp", ".journal.tmp", ".base.json.tmp", ".a.tmp.json.tmp", ".-x.json.tmp",
		"base.json",
		".base.json.tmp2", "..json.tmp", ".json.tmp", "...json.tmp", "data",
	} {
		f.Add(name, true)
		f.Add(name, false)
	}
	s := Store{Dir: filepath.Join(memory(f), "thin")}
	f.Cleanup(func() { os.RemoveAll(filepath.Dir(s.Dir)) })
	c, err := s.Create(goodPool())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, volumes bool) {
		dir, wanted := c.Dir(), name == ".pool.json.tmp" || name == ".journal.tmp"
		volume := ""
		if volumes {
			dir = c.volumeDir()
			volume = strings.TrimSuffix(strings.TrimPrefix(name, "."), ".json.tmp")
			wanted = name == "."+volume+".json.tmp" && spec.CheckVolumeName(volume) == nil
		}
		if strings.Contains(name, "/") {
			return
		}
		path := filepath.Join(dir, name)
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil { // "." and "..", an existing name, a name that is too long or has a NUL
			if wanted && !errors.Is(err, syscall.ENAMETOOLONG) {
				t.Fatal(err)
			}
			return
		}
		file.Close()
		defer os.Remove(path)
		all, err := c.Temps()
		if err != nil || len(all) > 1 || (len(all) == 1) != wanted {
			t.Fatalf("%q: %+v, %v", path, all, err)
		}
		if !wanted {
			if err := c.RemoveTemp(Temp{Path: path}); err == nil {
				t.Errorf("%q: removed", path)
			}
			return
		}
		if all[0] != (Temp{Path: path, Volume: volume}) {
			t.Errorf("%q: %+v", path, all)
		}
		if err := c.RemoveTemp(all[0]); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%q: %v", path, err)
		}
	})
}
