package catalog

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// failing makes the nth sync of a folder or of the journal fail, and all later
// ones if always is set.
func failing(c *Catalog, n int, always bool) {
	c.store.disk.before = func(step, path string) error {
		if step != "syncdir" && step != "datasync" {
			return nil
		}
		if n--; n == 0 || always && n < 0 {
			return unix.EIO
		}
		return nil
	}
}

// If the last sync of a write fails, the write fails. The old content is back
// then, for this process and for all others, as far as the disk allows it.
func TestLastSyncFails(t *testing.T) {
	for _, always := range []bool{false, true} {
		s, c := newPool(t)
		put(t, c, "a")
		failing(c, 1, always)
		err := c.SetPool(func(p *Pool) { p.BeginIntent(Intent{Op: OpDelete, Volume: "a", ID: 0}) })
		if !errors.Is(err, unix.EIO) || len(c.Pool().Intents) != 0 {
			t.Errorf("%v; %+v", err, c.Pool())
		}
		if again, err := s.Open(c.name); err != nil || len(again.Pool().Intents) != 0 {
			t.Errorf("on disk: %+v, %v", again.Pool(), err)
		}
		failing(c, 1, always)
		if err := c.PutVolume(Volume{Name: "a", ID: 7, Size: 512}); !errors.Is(err, unix.EIO) {
			t.Error(err)
		}
		if v, err := c.Volume("a"); err != nil || v.ID != 0 {
			t.Errorf("%+v, %v", v, err)
		}
		failing(c, 1, always)
		if err := c.PutVolume(Volume{Name: "new", ID: 7, Size: 512}); !errors.Is(err, unix.EIO) {
			t.Error(err)
		}
		if _, err := c.Volume("new"); !errors.Is(err, ErrNoVolume) {
			t.Error(err)
		}
	}
}

// A write replaces a file that cannot be read. It does not wait for the writer
// of a FIFO.
func TestReplaceOfWhatIsNoFile(t *testing.T) {
	_, c := newPool(t)
	if err := unix.Mkfifo(c.volumePath("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, c, "a")
	if st, err := os.Lstat(c.volumePath("a")); err != nil || !st.Mode().IsRegular() {
		t.Errorf("%v, %v", st, err)
	}
}
