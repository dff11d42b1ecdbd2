package catalog

import (
	"os"
	"path/filepath"
	"testing"
)

// Strays finds the folders without a pool. RemoveStray keeps those that hold
// anything.
func TestStrays(t *testing.T) {
	s := Store{Dir: filepath.Join(memory(t), "thin")}
	if all, err := s.Strays(); err != nil || len(all) != 0 {
		t.Errorf("without a store: %v, %v", all, err)
	}
	if _, err := s.Create(goodPool()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"early/volumes/.a.json.tmp", "early/.pool.json.tmp", "late/data", "records/volumes/a.json",
		"empty/", "-none/", "lost+found/",
	} {
		full := filepath.Join(s.Dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if path[len(path)-1] == '/' {
			if err := os.MkdirAll(full, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(full, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{"early": "", "empty": "", "late": "data", "records": "volumes/a.json"}
	all, err := s.Strays()
	if err != nil || len(all) != len(want) {
		t.Fatalf("%v, %v", all, err)
	}
	for _, stray := range all {
		holds := want[stray.Name]
		if holds != "" {
			holds = filepath.Join(s.Dir, stray.Name, holds)
		}
		if stray.Holds != holds {
			t.Errorf("%+v, want it to hold %q", stray, holds)
		}
	}
	for _, name := range []string{"demo", "early", "late", "records", "empty", "nothing"} {
		err := s.RemoveStray(name)
		_, gone := os.Lstat(filepath.Join(s.Dir, name))
		if holds, stray := want[name]; (err == nil) != (stray && holds == "") ||
			(name != "nothing" && os.IsNotExist(gone)) != (err == nil) {
			t.Errorf("%s: %v, %v", name, err, gone)
		}
	}
}
