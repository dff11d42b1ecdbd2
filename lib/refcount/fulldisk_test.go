package refcount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
)

// fullAt is a disk that is full when a step of a write comes.
func fullAt(full string) atomicfile.Before {
	return func(step, _ string) error {
		if step == full {
			return unix.ENOSPC
		}
		return nil
	}
}

func TestFullDisk(t *testing.T) {
	s := newStore(t)
	old, o := recorded()
	save(t, s, old)
	for _, step := range []string{"write", "sync", "rename"} {
		s.before = fullAt(step)
		ref := lock(t, s)
		next := old
		next.References = 9
		err := ref.Save(next)
		if !errors.Is(err, unix.ENOSPC) ||
			!strings.Contains(err.Error(), "record of demo/base: no space left on device") {
			t.Errorf("error %v", err)
		}
		if ref.Record() != old {
			t.Errorf("believes what was not written: %+v", ref.Record())
		}
		if got, err := ref.Reconcile(o); err != nil || got != old {
			t.Errorf("nothing to write: %+v, %v", got, err)
		}
		o := o
		o.Mounts = []MountPoint{{41, "/b", "/"}}
		if got, err := ref.Reconcile(o); !errors.Is(err, unix.ENOSPC) || got.MountedOn != "/b" ||
			ref.Record() != got {
			t.Errorf("answer %+v, record %+v, %v", got, ref.Record(), err)
		}
		if err := ref.Close(); err != nil {
			t.Error(err)
		}
		if got, err := s.Read(base); err != nil || got != old {
			t.Errorf("old record: %+v, %v", got, err)
		}
		if names := listDir(t, filepath.Join(s.Dir, "refs")); len(names) != 1 {
			t.Errorf("left behind: %v", names)
		}
	}
}

func listDir(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
