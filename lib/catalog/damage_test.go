package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/privdir"
)

// damage replaces a file by something else, or changes its mode.
var damage = map[string]func(path string) error{
	"empty":     func(p string) error { return os.WriteFile(p, nil, 0o600) },
	"too large": func(p string) error { return os.Truncate(p, maxFile+1) },
	"symlink": func(p string) error {
		return errors.Join(os.Rename(p, p+".moved"), os.Symlink(p+".moved", p))
	},
	"directory": func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) },
	"fifo":      func(p string) error { return errors.Join(os.Remove(p), unix.Mkfifo(p, 0o600)) },
	"group":     func(p string) error { return os.Chmod(p, 0o660) },
	"others":    func(p string) error { return os.Chmod(p, 0o602) },
}

// says is what the error has to say.
var says = map[string]string{
	"empty": "is empty", "too large": "larger than 1048576 bytes", "symlink": "not a regular file",
	"directory": "not a regular file", "fifo": "not a regular file",
	"group": "writable by others (mode 0660", "others": "writable by others",
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
			if _, err := c.Volume("b"); !errors.As(err, &corrupt) ||
				corrupt.Path != c.volumePath("b") || !strings.Contains(err.Error(), says[name]) {
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
			"is a symlink": func(d string) error {
				return errors.Join(os.Rename(d, d+".moved"), os.Symlink(d+".moved", d))
			},
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

// On a full filesystem without a spare, writes fail and change nothing.
func TestFullDisk(t *testing.T) {
	seventy := 70
	for _, at := range []string{"write", "sync", "rename"} {
		_, c := newPool(t)
		put(t, c, "a")
		if err := os.Remove(c.sparePath()); err != nil {
			t.Fatal(err)
		}
		c.store.disk.before = func(step, path string) error {
			journal := map[string]string{"write": "overwrite", "sync": "datasync"}
			if step == at || step == journal[at] {
				return unix.ENOSPC
			}
			return nil
		}
		if at != "rename" {
			err := c.SetPool(func(p *Pool) { p.NextID = 77 })
			if !errors.Is(err, unix.ENOSPC) || !strings.HasPrefix(err.Error(), "pool demo: ") {
				t.Errorf("%s: %v", at, err)
			}
		}
		err1 := c.SetPool(func(p *Pool) { p.Margin = &seventy })
		err2 := c.PutVolume(Volume{Name: "a", ID: 5, Size: 512})
		err3 := c.PutVolume(Volume{Name: "b", ID: 6, Size: 512})
		for what, err := range map[string]error{
			"pool demo: ": err1, "volume demo/a: ": err2, "volume demo/b: ": err3,
		} {
			if !errors.Is(err, unix.ENOSPC) || err.Error() != ""+what+"no space left on device" {
				t.Errorf("%s: %v", at, err)
			}
		}
		if c.Pool().NextID != 9 || c.Pool().Margin != nil {
			t.Errorf("%s: believes what was not written", at)
		}
		if err := c.Reload(); err != nil || c.Pool().NextID != 9 ||
			c.Pool().Margin != nil {
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
