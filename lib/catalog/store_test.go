package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

// newPool makes a store with one pool.
func newPool(t *testing.T) (Store, *Catalog) {
	t.Helper()
	s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
	p := goodPool()
	p.Intents = nil
	c, err := s.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func put(t *testing.T, c *Catalog, names ...string) {
	t.Helper()
	for i, name := range names {
		if err := c.PutVolume(Volume{Name: name, ID: spec.ID(i), Size: 512}); err != nil {
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
	if _, err := s.Create(c.Pool()); !errors.Is(err, errExist) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	again, err := s.Open("demo")
	if err != nil || again.Pool().UUID != uuid || again.Pool().Data != c.Pool().Data ||
		!again.Pool().Created.Equal(c.Pool().Created) {
		t.Errorf("%+v, %v", again, err)
	}
	for path, mode := range map[string]fs.FileMode{
		s.Dir: fs.ModeDir | 0o700, c.Dir(): fs.ModeDir | 0o700, c.volumeDir(): fs.ModeDir | 0o700,
		c.poolPath(): 0o600,
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
	var bad *spec.NameError
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
	if _, err := s.Create(Pool{Name: "demo"}); err == nil ||
		!strings.Contains(err.Error(), "uuid") {
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
	if err := c.SetPool(func(p *Pool) {
		p.BeginIntent(Intent{Op: OpCreate, Volume: "x", ID: 9, TransactionID: 5})
	}); err != nil {
		t.Fatal(err)
	}
	c.Pool().Intents[0].ID = 77 // a copy
	if got := c.Pool(); got.NextID != 10 || got.Intents[0].ID != 9 {
		t.Errorf("%+v", got)
	}
	if len(other.Pool().Intents) != 0 {
		t.Error("the other reader has seen the future")
	}
	if err := other.Reload(); err != nil || len(other.Pool().Intents) != 1 {
		t.Errorf("%+v, %v", other.Pool(), err)
	}
	for what, change := range map[string]func(*Pool){
		"name":       func(p *Pool) { p.Name = "x" },
		"uuid":       func(p *Pool) { p.UUID = strings.Repeat("0", 32) },
		"operations": func(p *Pool) { p.Intents[0].TransactionID = 99 },
		"larger":     func(p *Pool) { p.Data.Path = "/" + strings.Repeat("x", maxFile) },
	} {
		if err := c.SetPool(change); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		if got := c.Pool(); got.Name != "demo" || got.Intents[0].TransactionID != 5 {
			t.Errorf("%s: believes what was not written: %+v", what, got)
		}
	}
}

func TestDestroy(t *testing.T) {
	s, c := newPool(t)
	put(t, c, "a", "b")
	if err := os.WriteFile(filepath.Join(c.Dir(), ".pool.json.tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Destroy(), c.Destroy()); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(s.Dir); err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// Destroy keeps the files that somebody else has put into the pool's folder.
// The pool no longer exists nevertheless.
func TestDestroySparesOthers(t *testing.T) {
	s, c := newPool(t)
	put(t, c, "a")
	data := filepath.Join(c.Dir(), "data")
	if err := os.WriteFile(data, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Destroy(), c.Destroy()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(data); err != nil {
		t.Error(err)
	}
	if pools, err := s.Pools(); err != nil || len(pools) != 0 {
		t.Errorf("pools: %v, %v", pools, err)
	}
}
