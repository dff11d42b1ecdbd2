package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/filelock/privdir"
)

// newPool makes a store with one pool.
func newPool(t *testing.T) (Store, *Catalog) {
	t.Helper()
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	p := goodPool()
	p.Operations = nil
	c, err := s.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func put(t *testing.T, c *Catalog, names ...string) {
	t.Helper()
	for i, name := range names {
		if err := c.PutVolume(Volume{Name: name, ID: uint32(i), Size: 512}); err != nil {
			t.Fatal(err)
		}
	}
}

func names(volumes []Volume) string {
	var s []string
	for _, v := range volumes {
		s = append(s, v.Name)
	}
	return strings.Join(s, " ")
}

func TestCreateOpen(t *testing.T) {
	s, c := newPool(t)
	if _, err := s.Create(c.Pool()); !errors.Is(err, ErrExist) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	again, err := s.Open("demo")
	if err != nil || again.Pool().UUID != uuid || again.Pool().Data != c.Pool().Data || !again.Pool().Created.Equal(c.Pool().Created) {
		t.Errorf("%+v, %v", again, err)
	}
	for path, mode := range map[string]fs.FileMode{
		s.Dir: fs.ModeDir | 0o700, c.Dir(): fs.ModeDir | 0o700, c.volumeDir(): fs.ModeDir | 0o700, c.poolPath(): 0o600,
	} {
		if st, err := os.Lstat(path); err != nil || st.Mode() != mode {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
	}
	if _, err := s.Open("other"); !errors.Is(err, ErrNoPool) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such pool: %v", err)
	}
	if _, err := (Store{Dir: s.Dir + "x"}).Open("demo"); !errors.Is(err, ErrNoPool) {
		t.Errorf("no store: %v", err)
	}
	var bad *NameError
	for _, name := range []string{"", "..", "a/b"} {
		if _, err := s.Open(name); !errors.As(err, &bad) {
			t.Errorf("opened %q: %v", name, err)
		}
		if _, err := s.Create(Pool{Name: name}); !errors.As(err, &bad) {
			t.Errorf("created %q: %v", name, err)
		}
	}
}

func TestCreateRefusesImpossiblePool(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	if _, err := s.Create(Pool{Name: "demo"}); err == nil || !strings.Contains(err.Error(), "uuid") {
		t.Errorf("%v", err)
	}
	if got, err := s.Pools(); err != nil || len(got) != 0 {
		t.Errorf("pools %v, %v", got, err)
	}
}

func TestPools(t *testing.T) {
	if got, err := (Store{Dir: "/nonexistent/thin"}).Pools(); err != nil || got != nil {
		t.Errorf("no store: %v, %v", got, err)
	}
	s, c := newPool(t)
	p := c.Pool()
	p.Name = "another"
	if _, err := s.Create(p); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Mkdir(filepath.Join(s.Dir, "empty"), 0o700),
		os.Mkdir(filepath.Join(s.Dir, ".hidden"), 0o700),
		os.WriteFile(filepath.Join(s.Dir, "file"), nil, 0o600),
		os.Symlink("demo", filepath.Join(s.Dir, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Pools(); err != nil || !slices.Equal(got, []string{"another", "demo"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSetPool(t *testing.T) {
	s, c := newPool(t)
	other, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetPool(func(p *Pool) { p.Begin(Operation{OpCreate, "x", 9, 5}) }); err != nil {
		t.Fatal(err)
	}
	c.Pool().Operations[0].ID = 77 // a copy
	if got := c.Pool(); got.NextID != 10 || got.Operations[0].ID != 9 {
		t.Errorf("%+v", got)
	}
	if len(other.Pool().Operations) != 0 {
		t.Error("the other reader has seen the future")
	}
	if err := other.Reload(); err != nil || len(other.Pool().Operations) != 1 {
		t.Errorf("%+v, %v", other.Pool(), err)
	}
	for what, change := range map[string]func(*Pool){
		"name":       func(p *Pool) { p.Name = "x" },
		"uuid":       func(p *Pool) { p.UUID = strings.Repeat("0", 32) },
		"operations": func(p *Pool) { p.Operations[0].TransactionID = 99 },
		"larger":     func(p *Pool) { p.Data.Path = "/" + strings.Repeat("x", maxFile) },
	} {
		if err := c.SetPool(change); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		if got := c.Pool(); got.Name != "demo" || got.Operations[0].TransactionID != 5 {
			t.Errorf("%s: believes what was not written: %+v", what, got)
		}
	}
}

func TestVolumes(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "b", "a", "hidden", "c")
	if err := c.SetPool(func(p *Pool) { p.Begin(Operation{Op: OpDelete, Volume: "hidden"}) }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.volumeDir(), ".a.json.tmp"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Volumes(); err != nil || names(got) != "a b c" {
		t.Errorf("%v, %v", names(got), err)
	}
	if got, err := c.VolumesAnyState(); err != nil || names(got) != "a b c hidden" {
		t.Errorf("%v, %v", names(got), err)
	}
	if v, err := c.Volume("a"); err != nil || v.ID != 1 || v.Pool != "demo" || v.PoolUUID != uuid || v.Format != Format {
		t.Errorf("%+v, %v", v, err)
	}
	for _, name := range []string{"hidden", "none"} {
		if _, err := c.Volume(name); !errors.Is(err, ErrNoVolume) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "demo/"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v, err := c.VolumeAnyState("hidden"); err != nil || v.Name != "hidden" {
		t.Errorf("%+v, %v", v, err)
	}
	if err := errors.Join(c.RemoveVolume("a"), c.RemoveVolume("a")); err != nil {
		t.Error(err)
	}
	if _, err := c.Volume("a"); !errors.Is(err, ErrNoVolume) {
		t.Errorf("removed: %v", err)
	}
	if err := c.SetPool(func(p *Pool) { p.Begin(Operation{Op: OpDeletePool}) }); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Volumes(); err != nil || len(got) != 0 {
		t.Errorf("of a pool that is being deleted: %v, %v", got, err)
	}
}

func TestBadVolumeNames(t *testing.T) {
	_, c := newPool(t)
	for _, name := range []string{"", "..", "a/b", "../pool"} {
		_, err1 := c.Volume(name)
		_, err2 := c.VolumeAnyState(name)
		err3 := c.PutVolume(Volume{Name: name, Size: 512})
		err4 := c.RemoveVolume(name)
		for _, err := range []error{err1, err2, err3, err4} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("volume name %q", name)) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, v := range []Volume{{Name: "x"}, {Name: "x", Size: 512, Pool: "other"}, {Name: "x", Size: 512, PoolUUID: "0"}, {Name: "x", Size: 512, ID: MaxID + 1}} {
		if err := c.PutVolume(v); err == nil {
			t.Errorf("wrote %+v", v)
		}
	}
}

func TestManyVolumes(t *testing.T) {
	_, c := newPool(t)
	for i := range 1000 {
		b, reason := encodeVolume(Volume{Format: Format, Name: fmt.Sprintf("v%03d", i), Pool: "demo", PoolUUID: uuid, ID: uint32(i), Size: 512}, c.pool)
		if reason != "" {
			t.Fatal(reason)
		}
		if err := os.WriteFile(c.volumePath(fmt.Sprintf("v%03d", i)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Volumes()
	if err != nil || len(got) != 1000 || got[0].Name != "v000" || got[999].ID != 999 {
		t.Errorf("%d, %v", len(got), err)
	}
}

// damage puts something else in a file's place.
var damage = map[string]func(path string) error{
	"empty":     func(p string) error { return os.WriteFile(p, nil, 0o600) },
	"too large": func(p string) error { return os.Truncate(p, maxFile+1) },
	"symlink": func(p string) error {
		return errors.Join(os.Rename(p, p+".moved"), os.Symlink(p+".moved", p))
	},
	"directory": func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) },
	"fifo":      func(p string) error { return errors.Join(os.Remove(p), unix.Mkfifo(p, 0o600)) },
}

// says is what the error has to name.
var says = map[string]string{
	"empty": "unexpected end", "too large": "larger than 1048576 bytes", "symlink": "not a regular file",
	"directory": "not a regular file", "fifo": "not a regular file",
}

func TestDamagedFiles(t *testing.T) {
	for name, put1 := range damage {
		t.Run(name, func(t *testing.T) {
			s, c := newPool(t)
			put(t, c, "a", "b", "c")
			if err := put1(c.volumePath("b")); err != nil {
				t.Fatal(err)
			}
			var corrupt *CorruptError
			if _, err := c.Volume("b"); !errors.As(err, &corrupt) || corrupt.Path != c.volumePath("b") || !strings.Contains(err.Error(), says[name]) {
				t.Errorf("volume: %v", err)
			}
			if got, err := c.Volumes(); !errors.As(err, &corrupt) || names(got) != "a c" {
				t.Errorf("the others: %v, %v", names(got), err)
			}
			if err := put1(c.poolPath()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Open("demo"); !errors.As(err, &corrupt) || corrupt.Path != c.poolPath() {
				t.Errorf("pool: %v", err)
			}
		})
	}
}

func TestUnfitDirectories(t *testing.T) {
	for _, sub := range []string{"", "demo", "demo/volumes"} {
		for what, spoil := range map[string]func(string) error{
			"is writable by others": func(d string) error { return os.Chmod(d, 0o770) },
			"is a symlink":          func(d string) error { return errors.Join(os.Rename(d, d+".moved"), os.Symlink(d+".moved", d)) },
		} {
			s, c := newPool(t)
			if err := spoil(filepath.Join(s.Dir, sub)); err != nil {
				t.Fatal(err)
			}
			_, err1 := s.Open("demo")
			_, err2 := s.Create(c.Pool())
			for _, err := range []error{err1, err2} {
				var unfit *privdir.Error
				if !errors.As(err, &unfit) || !strings.Contains(err.Error(), what) {
					t.Errorf("%q %s: %v", sub, what, err)
				}
			}
			if _, err := s.Pools(); sub == "" && err == nil {
				t.Errorf("pools of a store that %s", what)
			}
		}
	}
}

func TestDestroy(t *testing.T) {
	s, c := newPool(t)
	put(t, c, "a", "b")
	outside := filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.WriteFile(filepath.Join(c.Dir(), "data"), nil, 0o600),
		os.WriteFile(outside, nil, 0o600),
		os.Symlink(outside, filepath.Join(c.Dir(), "metadata")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.Destroy(), c.Destroy()); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(s.Dir); err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	if _, err := os.Lstat(outside); err != nil {
		t.Errorf("what a symlink pointed to: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	for _, at := range []string{"write", "sync", "rename"} {
		_, c := newPool(t)
		put(t, c, "a")
		c.store.disk.before = func(step, path string) error {
			if step == at {
				return unix.ENOSPC
			}
			return nil
		}
		err1 := c.SetPool(func(p *Pool) { p.NextID = 77 })
		err2 := c.PutVolume(Volume{Name: "a", ID: 5, Size: 512})
		err3 := c.PutVolume(Volume{Name: "b", ID: 6, Size: 512})
		for what, err := range map[string]error{"pool demo: ": err1, "volume demo/a: ": err2, "volume demo/b: ": err3} {
			if !errors.Is(err, unix.ENOSPC) || err.Error() != "catalog: "+what+"no space left on device" {
				t.Errorf("%s: %v", at, err)
			}
		}
		if c.Pool().NextID != 9 {
			t.Errorf("%s: believes what was not written", at)
		}
		if err := c.Reload(); err != nil || c.Pool().NextID != 9 {
			t.Errorf("%s: %+v, %v", at, c.Pool(), err)
		}
		if v, err := c.Volumes(); err != nil || len(v) != 1 || v[0].ID != 0 {
			t.Errorf("%s: %+v, %v", at, v, err)
		}
		for _, dir := range []string{c.Dir(), c.volumeDir()} {
			if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
				t.Errorf("%s: left %v, %v", at, left, err)
			}
		}
	}
}
