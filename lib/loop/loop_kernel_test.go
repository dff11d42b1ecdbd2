//go:build kernel

package loop

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// disk makes a sparse file, not on a tmpfs, which has no direct I/O.
func disk(t *testing.T, size int64) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "loop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "disk")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

func attach(t *testing.T, path string, o Options) *Device {
	t.Helper()
	d, err := Attach(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// losetup is the oracle.
type losetup struct {
	Name      string `json:"name"`
	Autoclear bool   `json:"autoclear"`
	RO        bool   `json:"ro"`
	DIO       bool   `json:"dio"`
	BackFile  string `json:"back-file"`
}

func list(t *testing.T, device string) *losetup {
	t.Helper()
	out, err := exec.Command("losetup", "--list", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Loopdevices []losetup }
	if len(out) > 0 {
		if err := json.Unmarshal(out, &all); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, l := range all.Loopdevices {
		if l.Name == device {
			return &l
		}
	}
	return nil
}

func TestKernelAttach(t *testing.T) {
	path := disk(t, 1<<20)
	d := attach(t, path, Options{Autoclear: true, DirectIO: true})
	l := list(t, d.Path())
	if l == nil || !l.Autoclear || l.RO || !l.DIO || !d.DirectIO() || l.BackFile != path {
		t.Errorf("losetup says %+v; direct %v", l, d.DirectIO())
	}
	found, err := Find(path)
	if err != nil || len(found) != 1 || found[0].Path != d.Path() || found[0].DevNo != d.DevNo() || !found[0].Autoclear || !found[0].DirectIO {
		t.Errorf("%+v, %v", found, err)
	}
	if err := os.Rename(path, path+"-renamed"); err != nil {
		t.Fatal(err)
	}
	if found, err := Find(path + "-renamed"); err != nil || len(found) != 1 {
		t.Errorf("renamed: %+v, %v", found, err)
	}
	d.Close()
	exec.Command("udevadm", "settle").Run()
	if found, err := Find(path + "-renamed"); err != nil || len(found) != 0 || list(t, d.Path()) != nil {
		t.Errorf("closed: %+v, %v", found, err)
	}
}

func TestKernelReadOnly(t *testing.T) {
	d := attach(t, disk(t, 1<<20), Options{Autoclear: true, ReadOnly: true})
	if l := list(t, d.Path()); l == nil || !l.RO {
		t.Errorf("losetup says %+v", l)
	}
}

// tmpfs has no direct I/O (before 6.6): the device comes without, and says so.
func TestKernelWithoutDirectIO(t *testing.T) {
	path := filepath.Join("/dev/shm", "loop-test")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	d := attach(t, path, Options{Autoclear: true, DirectIO: true})
	if l := list(t, d.Path()); l == nil || l.DIO != d.DirectIO() {
		t.Errorf("losetup says %+v; direct %v", l, d.DirectIO())
	}
}

func TestKernelDetachAndCapacity(t *testing.T) {
	path := disk(t, 1<<20)
	d := attach(t, path, Options{})
	if err := os.Truncate(path, 3<<20); err != nil {
		t.Fatal(err)
	}
	if err := SetCapacity(d.Path()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := Size(f); err != nil || n != 3<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	f.Close()
	d.Close()
	if list(t, d.Path()) == nil {
		t.Fatal("gone without autoclear")
	}
	if err := Detach(d.Path()); err != nil {
		t.Error(err)
	}
	if l := list(t, d.Path()); l != nil {
		t.Errorf("losetup says %+v", l)
	}
}

func TestKernelMissingFile(t *testing.T) {
	if _, err := Attach(context.Background(), "/nonexistent", Options{}); !os.IsNotExist(err) {
		t.Error(err)
	}
	if _, err := Find("/nonexistent"); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// Many at once get a device each.
func TestKernelAttachSideBySide(t *testing.T) {
	const n = 16
	var wg sync.WaitGroup
	devices := make([]*Device, n)
	errs := make([]error, n)
	for i := range n {
		path := disk(t, 1<<20)
		wg.Go(func() { devices[i], errs[i] = Attach(context.Background(), path, Options{Autoclear: true}) })
	}
	wg.Wait()
	seen := map[string]bool{}
	for i := range n {
		if errs[i] != nil {
			t.Error(errs[i])
			continue
		}
		if seen[devices[i].Path()] {
			t.Errorf("%s twice", devices[i].Path())
		}
		seen[devices[i].Path()] = true
		devices[i].Close()
	}
}

func TestKernelDiscardPunchesTheFile(t *testing.T) {
	path := disk(t, 8<<20)
	d := attach(t, path, Options{Autoclear: true})
	f, err := os.OpenFile(d.Path(), os.O_RDWR|syscall.O_SYNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte(strings.Repeat("x", 8<<20))); err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, path); got < 8<<20 {
		t.Fatalf("%d bytes on disk before", got)
	}
	var told []int64
	if err := Discard(context.Background(), f, 1<<20, 6<<20, func(done int64) { told = append(told, done) }); err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, path); got > 3<<20 || len(told) == 0 || told[len(told)-1] != 6<<20 {
		t.Errorf("%d bytes on disk after; told %v", got, told)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Discard(ctx, f, 0, 1<<20, func(int64) {}); err != context.Canceled {
		t.Error(err)
	}
}

func blocks(t *testing.T, path string) int64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}
