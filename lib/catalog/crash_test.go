package catalog

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

var (
	errCrash = errors.New("crash")
	errNoID  = errors.New("no such id")
	errTID   = errors.New("wrong transaction id")
)

// machine is a computer that can crash: before any step, of the catalog's or
// the pool's. It knows what of the filesystem would be lost if the power failed
// now: contents without fsync, and changes of a folder without fsync of the
// folder.
type machine struct {
	fuse     int // steps to go; negative is for ever
	dead     bool
	full     bool // the filesystem is full: pool.json goes by way of the spare
	unsynced map[string]bool
	pending  []change
}

// change is a change of a folder that is not durable yet.
type change struct {
	dir  string
	undo func() error
}

// tick is one step.
func (m *machine) tick() error {
	if m.fuse == 0 {
		m.dead = true
	}
	if m.dead {
		return errCrash
	}
	m.fuse--
	return nil
}

// before is the catalog's hook.
func (m *machine) before(step, path string) error {
	if err := m.tick(); err != nil {
		return err
	}
	if err := full(step, path); m.full && filepath.Base(path) == ".pool.json.tmp" && err != nil {
		return err
	}
	dir := filepath.Dir(path)
	switch step {
	case "write":
		m.unsynced[path] = true
	case "sync":
		delete(m.unsynced, path)
	case "syncdir":
		m.pending = slices.DeleteFunc(m.pending, func(c change) bool { return c.dir == path })
	case "rename":
		tmp := filepath.Join(dir, "."+filepath.Base(path)+".tmp")
		if m.unsynced[tmp] {
			m.unsynced[path] = true
		}
		m.pending = append(m.pending, change{dir, restore(path)})
	case "exchange": // of what the spare has
		if spare := filepath.Join(dir, "."+filepath.Base(path)+".spare"); m.unsynced[spare] {
			m.unsynced[path] = true
		}
		m.pending = append(m.pending, change{dir, restore(path)})
	case "removeall":
		m.pending = append(m.pending, change{dir, restoreTree(path)})
	case "unlink", "mkdir":
		m.pending = append(m.pending, change{dir, restore(path)})
	}
	return nil
}

// restore remembers what is at path and puts it back.
func restore(path string) func() error {
	st, err := os.Lstat(path)
	switch {
	case err != nil:
		return func() error { return os.RemoveAll(path) }
	case st.IsDir():
		return func() error { return os.MkdirAll(path, 0o700) }
	}
	old, err := os.ReadFile(path)
	return func() error { return errors.Join(err, os.WriteFile(path, old, 0o600)) }
}

// restoreTree does so with all that is below path.
func restoreTree(path string) func() error {
	if st, err := os.Lstat(path); err != nil || !st.IsDir() {
		return restore(path)
	}
	saved, err := os.MkdirTemp(filepath.Dir(filepath.Dir(filepath.Dir(path))), "saved") // out of the store
	if err == nil {
		err = os.CopyFS(saved, os.DirFS(path))
	}
	return func() error { return errors.Join(err, os.Mkdir(path, 0o700), os.CopyFS(path, os.DirFS(saved))) }
}

// powerCut loses what is not durable, or part of it: written tells how many
// bytes of a file survive, lost which changes of folders do not.
func (m *machine) powerCut(t fataler, written func(size int64) int64, lost func() bool) {
	for path := range maps.Keys(m.unsynced) {
		if st, err := os.Lstat(path); err == nil {
			if err := os.Truncate(path, written(st.Size())); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
	for _, c := range slices.Backward(m.pending) {
		if lost() {
			if err := c.undo(); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
	m.restart()
}

// fataler is a test of either package.
type fataler interface {
	Fatalf(format string, args ...any)
}

// restart is what comes after a crash of the program alone, too: the kernel
// writes all in the end.
func (m *machine) restart() {
	*m = machine{fuse: -1, full: m.full, unsynced: map[string]bool{}}
}

// fakePool is the kernel's pool: what it answers is durable.
type fakePool struct {
	m    *machine
	tid  uint64
	ids  map[uint32]bool
	used map[uint32]bool // ids that have been there at any time
}

func (k *fakePool) setTransactionID(old uint64) error {
	if err := k.m.tick(); err != nil {
		return err
	}
	if k.tid != old {
		return errTID
	}
	k.tid++
	return nil
}

func (k *fakePool) create(id uint32) error {
	if err := k.m.tick(); err != nil {
		return err
	}
	if k.used[id] {
		return errors.New("id is used again")
	}
	k.ids[id], k.used[id] = true, true
	return nil
}

func (k *fakePool) delete(id uint32) error {
	if err := k.m.tick(); err != nil {
		return err
	}
	if !k.ids[id] {
		return errNoID
	}
	delete(k.ids, id)
	return nil
}
