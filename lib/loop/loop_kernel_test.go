//go:build kernel

package loop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

type listed struct {
	Name      string `json:"name"`
	Autoclear bool   `json:"autoclear"`
	RO        bool   `json:"ro"`
	DIO       bool   `json:"dio"`
	Back      string `json:"back-file"`
}

// losetup is what losetup(8) lists.
func losetup(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("losetup", "--json", "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Loopdevices []listed }
	if len(strings.TrimSpace(string(out))) > 0 {
		if err := json.Unmarshal(out, &all); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	}
	m := map[string]listed{}
	for _, l := range all.Loopdevices {
		m[l.Name] = l
	}
	return m
}

const size = 8 << 20

func backing(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func attach(t *testing.T, path string, o Options) *Device {
	t.Helper()
	d, err := Attach(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestKernelAttach(t *testing.T) {
	path := backing(t)
	for _, o := range []Options{
		{Autoclear: true}, {Autoclear: true, ReadOnly: true}, {Autoclear: true, DirectIO: true},
		{Autoclear: true, BlockSize: 4096},
	} {
		d := attach(t, path, o)
		l, there := losetup(t)[d.Path()]
		if !there || !l.Autoclear || l.RO != o.ReadOnly || l.DIO != d.direct ||
			l.DIO && !o.DirectIO || l.Back != path {
			t.Errorf("%+v: losetup has %+v, we %v", o, l, d.direct)
		}
		if n, err := Size(d.file); n != size || err != nil {
			t.Errorf("size %d, %v", n, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if l, there := losetup(t)[d.Path()]; there {
			t.Errorf("after Close: %+v", l)
		}
	}
}

func TestKernelFindByInode(t *testing.T) {
	path := backing(t)
	d := attach(t, path, Options{Autoclear: true})
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := Find(path); err != nil || len(found) != 0 {
		t.Errorf("another file of the name: %+v, %v", found, err)
	}
	found, err := Find(path + "2")
	if err != nil || len(found) != 1 || found[0].Path != d.Path() || found[0].DevNo != d.dev ||
		!found[0].Autoclear {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestKernelSetCapacity(t *testing.T) {
	path := backing(t)
	d := attach(t, path, Options{})
	if err := os.Truncate(path, 2*size); err != nil {
		t.Fatal(err)
	}
	if err := SetCapacity(d.Path()); err != nil {
		t.Error(err)
	}
	if n, err := Size(d.file); n != 2*size || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, there := losetup(t)[d.Path()]; !there {
		t.Error("gone without autoclear")
	}
	if out, err := exec.Command("losetup", "-d", d.Path()).CombinedOutput(); err != nil {
		t.Errorf("losetup: %v: %s", err, out)
	}
}

func TestKernelDiscard(t *testing.T) {
	path := backing(t)
	d := attach(t, path, Options{Autoclear: true})
	blocks := func() int64 {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks
	}
	before, told := blocks(), int64(0)
	if err := Discard(t.Context(), d.file, 0, size/2, func(n int64) { told = n }); err != nil ||
		told != size/2 {
		t.Fatalf("told %d, %v", told, err)
	}
	if after := blocks(); after > before*3/4 {
		t.Errorf("%d blocks before, %d after", before, after)
	}
	b, err := os.ReadFile(path)
	if err != nil || strings.Trim(string(b[:size/2]), "\x00") != "" ||
		strings.Trim(string(b[size/2:]), "x") != "" {
		t.Errorf("content is not zeros, then what was there (%v)", err)
	}
}

func TestKernelConcurrentAttach(t *testing.T) {
	path := backing(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	devices := map[string]*Device{}
	for range 16 {
		all.Go(func() {
			d, err := Attach(t.Context(), path, Options{Autoclear: true})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			devices[d.Path()] = d
		})
	}
	all.Wait()
	if found, err := Find(path); err != nil || len(found) != 16 || len(devices) != 16 {
		t.Errorf("%d found, %d made, %v", len(found), len(devices), err)
	}
	for _, d := range devices {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if found, err := Find(path); err != nil || len(found) != 0 {
		t.Errorf("left: %+v, %v", found, err)
	}
}
