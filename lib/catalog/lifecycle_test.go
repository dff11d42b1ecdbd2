package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lifecycle creates a pool with one volume and destroys it, or crashes on the
// way.
func lifecycle(s Store) (made, ended bool, err error) {
	pool := goodPool()
	pool.Intents = []Intent{{Op: OpCreatePool}}
	c, err := s.Create(pool)
	if err != nil {
		return false, false, err
	}
	err = first(
		func() error { return c.SetPool(func(p *Pool) { p.FinishIntent("") }) },
		func() error { made = true; return c.PutVolume(Volume{Name: "base", Size: 512}) },
		func() error {
			return c.SetPool(func(p *Pool) { p.BeginIntent(Intent{Op: OpDeletePool}) })
		},
		func() error { ended = true; return c.Destroy() })
	return made, ended, err
}

// After a crash, a pool that was being created or destroyed has its whole
// catalog, or does not exist, or has the intent that says what to do about it.
func TestPoolCreationAndDestructionSurviveCrashes(t *testing.T) {
	for what, lost := range map[string]func() bool{
		"none":               func() bool { return false },
		"all":                func() bool { return true },
		"all but the newest": nil,
	} {
		for steps, done := 0, false; !done; steps++ {
			dir := memory(t)
			t.Cleanup(func() { os.RemoveAll(dir) })
			m := &machine{}
			m.restart()
			m.fuse = steps
			s := Store{Dir: filepath.Join(dir, "thin"), disk: disk{before: m.before}}
			made, ended, err := lifecycle(s)
			if err != nil && !m.dead {
				t.Fatal(err)
			}
			done = err == nil
			if newest := true; what == "all but the newest" {
				lost = func() bool { defer func() { newest = false }(); return !newest }
			}
			m.powerCut(t, func(int64) int64 { return 0 }, lost)
			afterwards(t, s, made, ended)
			if t.Failed() {
				t.Fatalf("crash before step %d, changes lost that are not synced: %s", steps, what)
			}
		}
	}
}

// afterwards checks what a crash has left, cleans up, and uses the pool's name
// again.
func afterwards(t *testing.T, s Store, made, ended bool) {
	found, err := s.Pools()
	if err != nil {
		t.Error(err)
	}
	complete := false
	for range found {
		c, err := s.Open("demo")
		if err != nil {
			t.Error(err)
			return
		}
		if _, incomplete := c.Pool().Incomplete(); !incomplete {
			complete = true
		} else if err := c.Destroy(); err != nil {
			t.Error(err)
		}
	}
	if made && !ended && len(found) == 0 {
		t.Error("the pool is lost")
	}
	if ended && complete {
		t.Error("a pool that has lost files looks complete")
	}
	if !complete {
		noFiles(t, s.Dir)
		if _, err := s.Create(goodPool()); err != nil {
			t.Errorf("its name cannot be used again: %v", err)
		}
	}
}

// noFiles checks that a folder without a pool holds no file that the next pool
// of that name would get.
func noFiles(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.HasSuffix(path, ".tmp") &&
			filepath.Base(path) != journalFile {
			t.Errorf("left without a pool: %s", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
