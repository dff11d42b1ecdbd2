package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

// mostProperties are as many as a volume can have, of bytes that JSON writes as
// six.
func mostProperties() spec.Properties {
	p := spec.Properties{}
	for i := range 4 {
		key := fmt.Sprintf("a.%d", i)
		p[key] = strings.Repeat("<", 1024-len(key))
	}
	return p
}

// toRename makes a pool with the volumes old, of which the journal speaks if
// young is set, and other.
func toRename(t *testing.T, young bool) (Store, *Catalog, Volume) {
	t.Helper()
	s, c := newPool(t)
	put(t, c, "other")
	begin(t, c, "old")
	if err := c.Finish("old"); err != nil {
		t.Fatal(err)
	}
	v, err := c.Volume("old")
	if err != nil {
		t.Fatal(err)
	}
	v.FS, v.Origin, v.Properties = "ext4", "gone", spec.Properties{"a.b": "1"}
	if err := c.PutVolume(v); err != nil {
		t.Fatal(err)
	}
	if !young {
		if err := c.releaseDone(); err != nil {
			t.Fatal(err)
		}
	}
	return s, c, v
}

// A rename changes the name of a record, and nothing else.
func TestRename(t *testing.T) {
	for _, young := range []bool{false, true} {
		s, c, old := toRename(t, young)
		if err := c.Rename("old", "new"); err != nil {
			t.Fatal(err)
		}
		again, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*Catalog{c, again} {
			v, err := c.Volume("new")
			if err != nil || !maps.Equal(v.Properties, old.Properties) {
				t.Errorf("%+v, %v", v, err)
			}
			v.Name, v.Properties, old.Properties = "old", nil, nil
			if fmt.Sprint(v) != fmt.Sprint(old) {
				t.Errorf("%+v, want %+v", v, old)
			}
			if _, err := c.Volume("old"); !errors.Is(err, ErrNoVolume) {
				t.Error(err)
			}
			if got, err := c.Volumes(); err != nil || names(got) != "new other" {
				t.Errorf("%s, %v", names(got), err)
			}
			old.Properties = spec.Properties{"a.b": "1"}
		}
		if _, err := os.Lstat(c.volumePath("old")); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		// The old name can be used, and the volume renamed back, again.
		op := begin(t, c, "old")
		if err := errors.Join(c.Finish("old"), c.Rename("old", "x"),
			c.Rename("new", "old")); err != nil {
			t.Fatal(err)
		}
		if v, err := c.Volume("old"); err != nil || v.ID != old.ID || op.ID == old.ID {
			t.Errorf("%+v, %v", v, err)
		}
	}
}

func TestRenameRefuses(t *testing.T) {
	_, c, _ := toRename(t, false)
	put(t, c, "leaving")
	if err := c.SetPool(func(p *Pool) {
		p.BeginIntent(Intent{Op: OpDelete, Volume: "leaving"})
	}); err != nil {
		t.Fatal(err)
	}
	begin(t, c, "coming")
	for _, row := range []struct {
		old, name string
		want      error
	}{
		{"none", "new", ErrNoVolume}, {"leaving", "new", ErrNoVolume},
		{"coming", "new", ErrNoVolume}, {"old", "other", fs.ErrExist},
		{"old", "old", fs.ErrExist}, {"old", "leaving", fs.ErrExist},
		{"old", "coming", fs.ErrExist},
	} {
		if err := c.Rename(row.old, row.name); !errors.Is(err, row.want) {
			t.Errorf("%s to %s: %v", row.old, row.name, err)
		}
	}
	for _, name := range []string{"", "..", "a/b", "../pool"} {
		if err := c.Rename("old", name); !errors.As(err, new(*spec.NameError)) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got, err := c.Volumes(); err != nil || names(got) != "old other" {
		t.Errorf("%s, %v", names(got), err)
	}
}

// A rename that is killed before any of its steps, with or without a power cut,
// leaves one of the two names. The next command that tidies up leaves one file.
func TestRenameSurvivesCrashes(t *testing.T) {
	outcomes := map[string]int{}
	for _, young := range []bool{false, true} {
		crashAnywhere(t, func(c *crash) {
			s, cat, old := toRename(t, young)
			c.in(t, cat, func() error { return cat.Rename("old", "new") })
			got := afterRename(t, s, old)
			outcomes[got]++
			if c.done && got != "new" || t.Failed() {
				t.Fatalf("%s, young %v: %s", c, young, got)
			}
		})
	}
	if outcomes["old"] < 10 || outcomes["new"] < 10 {
		t.Error(outcomes)
	}
}

// crash is a kill of a command before one of its steps, and perhaps a power cut
// that loses what is not durable: all of it, or what is the oldest.
type crash struct {
	steps int
	power string // "", "all", "the oldest"
	done  bool   // the command was not killed
}

func (c *crash) String() string {
	return fmt.Sprintf("killed before step %d, lost %q", c.steps, c.power)
}

// crashAnywhere calls try with each crash, until the command has no more steps.
func crashAnywhere(t *testing.T, try func(*crash)) {
	t.Helper()
	for _, power := range []string{"", "all", "the oldest"} {
		for c := (&crash{power: power}); !c.done; c.steps++ {
			try(c)
		}
	}
}

// in calls do, which changes the catalog, and crashes in it.
func (c *crash) in(t *testing.T, cat *Catalog, do func() error) {
	t.Helper()
	m := &machine{}
	m.restart()
	m.fuse = c.steps
	cat.store.disk.before = m.before
	err := do()
	if err != nil && !m.dead {
		t.Fatal(err)
	}
	c.done = err == nil
	if c.power == "" {
		m.restart()
		return
	}
	first := true
	m.powerCut(t, func(int64) int64 { return 0 }, func() bool {
		defer func() { first = false }()
		return c.power == "all" || !first
	})
}

// afterRename returns the name of the volume after a crash, before and after a
// command has tidied up.
func afterRename(t *testing.T, s Store, old Volume) string {
	c, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	volumes, err := c.Volumes()
	if err != nil || len(volumes) != 2 || volumes[1].Name != "other" {
		t.Errorf("%+v, %v", volumes, err)
		return ""
	}
	v := volumes[0]
	if v.ID != old.ID || v.FS != old.FS || !maps.Equal(v.Properties, old.Properties) {
		t.Errorf("%+v, want %+v", v, old)
	}
	all, err := c.TidyOf([]string{"old", "new"})
	if err != nil || !all[v.Name] || len(all) != 2 || all["old"] == all["new"] {
		t.Errorf("%v, %v", all, err)
	}
	files, err := filepath.Glob(filepath.Join(c.volumeDir(), "*"))
	if err != nil || len(files) != 2 || files[0] != c.volumePath(v.Name) {
		t.Errorf("%v, %v", files, err)
	}
	return v.Name
}

// If the new file cannot be written, or the old one not be removed, the volume
// keeps its old name.
func TestRenameIsTakenBack(t *testing.T) {
	for _, at := range []string{"write .new.json.tmp", "rename new.json", "unlink old.json"} {
		s, c, old := toRename(t, false)
		refused, met := errors.New("refused"), false
		c.store.disk.before = func(step, path string) error {
			if !met && step+" "+filepath.Base(path) == at {
				met = true
				return refused
			}
			return nil
		}
		if err := c.Rename("old", "new"); !errors.Is(err, refused) {
			t.Errorf("%s: %v", at, err)
		}
		if got := afterRename(t, s, old); got != "old" {
			t.Errorf("%s: %s", at, got)
		}
		if err := c.Rename("old", "new"); err != nil {
			t.Error(err)
		}
	}
}

// A reader that has read the journal before the rename finds the volume once,
// whenever it reads the records.
func TestReaderDuringRename(t *testing.T) {
	s, c, _ := toRename(t, false)
	reader, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	c.store.disk.before = func(step, path string) error {
		got, err := reader.Volumes()
		if err != nil || names(got) != "old other" && names(got) != "new other" {
			t.Errorf("before %s %s: %s, %v", step, path, names(got), err)
		}
		return reader.Reload()
	}
	if err := c.Rename("old", "new"); err != nil {
		t.Fatal(err)
	}
	// The reader has the list of names, and asks for the first one, which the
	// journal names, when the rename comes.
	c.store.disk.before = nil
	if err := c.releaseDone(); err != nil {
		t.Fatal(err)
	}
	begin(t, c, "a")
	if err := errors.Join(c.Finish("a"), reader.Reload()); err != nil {
		t.Fatal(err)
	}
	if _, moved, err := reader.volumes(func(r *Catalog, name string) (Volume, error) {
		if name == "a" {
			if err := c.Rename("new", "x"); err != nil {
				t.Fatal(err)
			}
		}
		return r.Volume(name)
	}); !moved || err != nil {
		t.Errorf("%v, %v", moved, err)
	}
	if got, err := reader.Volumes(); err != nil || names(got) != "a other x" {
		t.Errorf("%s, %v", names(got), err)
	}
}

// The journal has room for the rename of a volume with as many properties as
// possible, and for what other commands do at the same time.
func TestRenameFitsIntoJournal(t *testing.T) {
	s, c, v := toRename(t, true)
	v.Properties = mostProperties()
	if err := c.PutVolume(v); err != nil {
		t.Fatal(err)
	}
	for i := range 20 { // deletes that still discard, of volumes that were renamed
		name := fmt.Sprintf("v%02d", i)
		begin(t, c, name)
		if err := c.Finish(name); err != nil {
			t.Fatal(err)
		}
		v, err := c.Volume(name)
		v.Properties = mostProperties()
		if err := errors.Join(err, c.PutVolume(v), c.Rename(name, name+"x"),
			c.SetPool(func(p *Pool) {
				p.BeginIntent(Intent{Op: OpDelete, Volume: name + "x", ID: v.ID})
			})); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxDone {
		name := fmt.Sprintf("w%02d", i)
		begin(t, c, name)
		if err := c.Finish(name); err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			if err := c.Rename("old", "new"); err != nil {
				t.Fatal(err)
			}
		}
	}
	again, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Volume("new"); err != nil || !maps.Equal(got.Properties, v.Properties) {
		t.Error(err)
	}
}
