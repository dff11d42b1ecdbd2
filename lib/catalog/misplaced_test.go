package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

// Open distinguishes a folder that was copied or moved from a damaged
// pool.json. In both cases pool.json has another name than the folder.
func TestMisplacedFolder(t *testing.T) {
	uuid := strings.Repeat("a", 32)
	pool := func(name, uuid string) Pool {
		return Pool{Name: name, UUID: uuid, BlockSize: 128, OnFull: spec.OnFullError, NextID: 1,
			Data:     Backing{Kind: KindFile, Path: "/d/data"},
			Metadata: Backing{Kind: KindFile, Path: "/d/metadata"}}
	}
	for _, row := range []struct {
		name  string
		there string // uuid of the pool that has the name; "" is none
		want  Placement
		text  string
	}{
		{"moved", "", Moved, "is pool demo, which was moved"},
		{"copied", uuid, Copied, "is a copy of pool demo"},
		{"another is there", strings.Repeat("b", 32), Other, "holds a pool named demo"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
			if _, err := s.Create(pool("demo", uuid)); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(
				filepath.Join(s.Dir, "demo"), filepath.Join(s.Dir, "copy"),
			); err != nil {
				t.Fatal(err)
			}
			if row.there != "" {
				if _, err := s.Create(pool("demo", row.there)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := s.Open("copy")
			var m *MisplacedError
			if !errors.As(err, &m) || m.Place != row.want || m.UUID != uuid ||
				!strings.Contains(m.Error(), row.text) {
				t.Fatalf("%v", err)
			}
			if found := s.Misplaced("demo"); (found != nil) != (row.want == Moved) {
				t.Errorf("found %v", found)
			}
			if err := s.DestroyCopy("copy"); (err == nil) != (row.want == Copied) {
				t.Errorf("destroyed: %v", err)
			}
			if _, err := s.Open("demo"); (err == nil) != (row.there != "") {
				t.Errorf("the pool itself: %v", err)
			}
		})
	}
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	c, err := s.Create(pool("demo", uuid))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.poolPath(), []byte(`{"name": "other"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var corrupt *CorruptError
	if _, err := s.Open("demo"); !errors.As(err, &corrupt) {
		t.Errorf("damaged: %v", err)
	}
}
