package catalog

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"thinmount/lib/spec"
)

var (
	errCrash = errors.New("crash")
	errNoID  = errors.New("no such id")
	errTID   = errors.New("wrong transaction id")
)

// machine is a computer that can crash before any step of the catalog or the
// pool. It knows what would be lost if the power failed now: the content of
// files without fsync, and the changes of a folder without fsync of the folder.
type machine struct {
	fuse     int // steps until the crash; negative: no crash
	dead     bool
	full     bool // the filesystem is full: pool.json goes by way of the spare
	unsynced map[string]bool
	inPlace  map[string][]byte // what was overwritten without a sync
	pending  []change
}

// change is a change of a folder that is not durable yet.
type change struct {
	dir  string
	undo func() error
}

// tick makes one step. After the last step that fuse allows, it returns
// errCrash.
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

// before is the hook that the catalog calls before each step.
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
	case "overwrite":
		if _, ok := m.inPlace[path]; !ok {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			m.inPlace[path] = b
		}
	case "datasync":
		delete(m.inPlace, path)
	case "syncdir":
		m.pending = slices.DeleteFunc(m.pending, func(c change) bool { return c.dir == path })
	case "rename":
		tmp := filepath.Join(dir, "."+filepath.Base(path)+".tmp")
		m.pending = append(m.pending, change{dir, m.restoreUnsynced(path)})
		if m.unsynced[tmp] {
			m.unsynced[path] = true
		}
	case "exchange": // path gets the content of the spare
		if spare := filepath.Join(dir, "."+filepath.Base(path)+".spare"); m.unsynced[spare] {
			m.unsynced[path] = true
		}
		m.pending = append(m.pending, change{dir, restore(path)})
	case "removeall":
		m.pending = append(m.pending, change{dir, restoreTree(path)})
	case "unlink":
		m.pending = append(m.pending, change{dir, m.restoreUnsynced(path)})
	case "mkdir":
		m.pending = append(m.pending, change{dir, restore(path)})
	}
	return nil
}

// restoreUnsynced is restore for a file that is replaced or removed. If its
// content was not synced, it comes back empty.
func (m *machine) restoreUnsynced(path string) func() error {
	undo, lost := restore(path), m.unsynced[path]
	delete(m.unsynced, path)
	if _, err := os.Lstat(path); err == nil && lost {
		return func() error { return os.WriteFile(path, nil, 0o600) }
	}
	return undo
}

// restore remembers what is at path, and returns a function that puts it back.
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

// restoreTree is restore for a folder with everything below it.
func restoreTree(path string) func() error {
	if st, err := os.Lstat(path); err != nil || !st.IsDir() {
		return restore(path)
	}
	// The copy lies outside of the store.
	saved, err := os.MkdirTemp(filepath.Dir(filepath.Dir(filepath.Dir(path))), "saved")
	if err == nil {
		err = os.CopyFS(saved, os.DirFS(path))
	}
	return func() error {
		return errors.Join(err, os.Mkdir(path, 0o700), os.CopyFS(path, os.DirFS(saved)))
	}
}

// powerCut loses all or part of what is not durable. written says how many
// bytes of a file survive. lost says whether the next change of a folder is
// lost.
func (m *machine) powerCut(t fataler, written func(size int64) int64, lost func() bool) {
	for path := range maps.Keys(m.unsynced) {
		if st, err := os.Lstat(path); err == nil {
			if err := os.Truncate(path, written(st.Size())); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
	const sector = 512
	for path, before := range m.inPlace {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for at := 0; at < len(b); at += sector {
			if old := before[at : at+sector]; !bytes.Equal(old, b[at:at+sector]) && lost() {
				copy(b[at:], old)
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatalf("%v", err)
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

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Fatalf(format string, args ...any)
}

// restart makes the machine run again. Nothing is lost: after a crash of the
// program alone the kernel writes everything in the end.
func (m *machine) restart() {
	*m = machine{fuse: -1, full: m.full, unsynced: map[string]bool{},
		inPlace: map[string][]byte{}}
}

// fakePool is the kernel's pool. What it answers is durable.
type fakePool struct {
	m    *machine
	tid  uint64
	ids  map[spec.ID]bool
	made map[spec.ID]uint64 // transaction id at which an id was made
	used map[spec.ID]bool   // ids that existed at any time
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

func (k *fakePool) create(id spec.ID) error {
	if err := k.m.tick(); err != nil {
		return err
	}
	if k.used[id] {
		return errors.New("id is used again")
	}
	k.ids[id], k.used[id], k.made[id] = true, true, k.tid
	return nil
}

func (k *fakePool) delete(id spec.ID) error {
	if err := k.m.tick(); err != nil {
		return err
	}
	if !k.ids[id] {
		return errNoID
	}
	delete(k.ids, id)
	return nil
}
