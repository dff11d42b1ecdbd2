package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// full is the hook of a filesystem on which no new file gets a block.
func full(step, path string) error {
	if step == "write" && strings.HasSuffix(path, ".tmp") || step == "spare" {
		return &os.PathError{Op: step, Path: path, Err: unix.ENOSPC}
	}
	return nil
}

// setMargin writes pool.json.
func setMargin(c *Catalog, margin int) error {
	return c.SetPool(func(p *Pool) { p.Margin = &margin })
}

func TestPoolIsWrittenOnFullDisk(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	pool := goodPool()
	pool.Intents = nil
	c, err := s.Create(pool)
	if err != nil {
		t.Fatal(err)
	}
	c.store.disk.before = full
	for margin := range 40 {
		if err := setMargin(c, margin); err != nil {
			t.Fatal(err)
		}
		again, err := s.Open(pool.Name)
		if err != nil || again.Pool().FreeMargin() != margin {
			t.Fatalf("reads %+v, %v", again, err)
		}
	}
	if err := c.SetPool(func(p *Pool) { p.Intents = []Intent{{Op: OpDeletePool}} }); err != nil {
		t.Fatal(err)
	}
	c.store.disk.before = nil // now there is room, and the spare gets all its blocks again
	if err := setMargin(c, 1); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(c.sparePath(), &st); err != nil || st.Blocks*512 < spareSize {
		t.Errorf("spare: %+v, %v", st, err)
	}
	if err := c.Destroy(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(c.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// A copy of the catalog made of hard links keeps its content.
func TestSpareOfOthersIsNotOverwritten(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	c, err := s.Create(goodPool())
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.Link(c.sparePath(), backup); err != nil {
		t.Fatal(err)
	}
	c.store.disk.before = full
	if err := setMargin(c, 1); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
	c.store.disk.before = nil
	if err := setMargin(c, 2); err != nil {
		t.Fatal(err)
	}
	c.store.disk.before = full
	if err := setMargin(c, 3); err != nil {
		t.Errorf("with a spare of its own: %v", err)
	}
}
