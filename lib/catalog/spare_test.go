package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/spec"
)

// full is the hook of a filesystem on which no new file gets a block.
func full(step, path string) error {
	if step == "write" && strings.HasSuffix(path, ".tmp") || step == "spare" {
		return &os.PathError{Op: step, Path: path, Err: unix.ENOSPC}
	}
	return nil
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
	for id := range spec.ID(40) {
		if err := c.SetPool(func(p *Pool) {
			p.BeginIntent(Intent{Op: OpDelete, Volume: "v" + strings.Repeat("x", int(id)), ID: id})
		}); err != nil {
			t.Fatal(err)
		}
		again, err := s.Open(pool.Name)
		if err != nil || len(again.Pool().Intents) != int(id)+1 {
			t.Fatalf("reads %+v, %v", again, err)
		}
	}
	for len(c.Pool().Intents) > 0 {
		if err := c.SetPool(func(p *Pool) { p.DropIntent(p.Intents[0].Volume) }); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := s.Open(pool.Name); err != nil || len(again.Pool().Intents) > 0 {
		t.Fatalf("reads %+v, %v", again, err)
	}
	c.store.disk.before = nil // now there is room, and the spare gets all its blocks again
	if err := c.SetPool(func(*Pool) {}); err != nil {
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
	if err := c.SetPool(func(*Pool) {}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
	c.store.disk.before = nil
	if err := c.SetPool(func(*Pool) {}); err != nil {
		t.Fatal(err)
	}
	c.store.disk.before = full
	if err := c.SetPool(func(*Pool) {}); err != nil {
		t.Errorf("with a spare of its own: %v", err)
	}
}
