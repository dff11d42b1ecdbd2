package mount

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

func TestOpenDir(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	check(t, os.MkdirAll(filepath.Join(base, "a/b"), 0o755))
	check(t, os.Symlink("a", filepath.Join(base, "link")))
	check(t, os.WriteFile(filepath.Join(base, "file"), nil, 0o600))
	for _, path := range []string{"a/b", "a/b/", "a/../a/b", "link/b"} {
		if got, err := OpenDir(base + "/" + path); err != nil || got != filepath.Join(base, "a/b") {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	for path, errno := range map[string]unix.Errno{"none": unix.ENOENT, "file": unix.ENOTDIR, "file/x": unix.ENOTDIR} {
		want := filepath.Join(base, path) + ": " + errno.Error()
		if _, err := OpenDir(filepath.Join(base, path)); !errors.Is(err, errno) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTopAndByDev(t *testing.T) {
	table := []*mountinfo.Info{
		{ID: 1, Mountpoint: "/mnt", Major: 8}, {ID: 2, Mountpoint: "/mnt", Major: 253, Minor: 3},
		{ID: 3, Mountpoint: "/b", Source: "/dev/mapper/x", Minor: 40}, {ID: 4, Mountpoint: "/mnt/sub"},
	}
	if top := Top(table, "/mnt"); top == nil || top.ID != 2 {
		t.Errorf("%+v", top)
	}
	if Top(table, "/") != nil {
		t.Error("something is on /")
	}
	if got := ByDev(table, 253, 3, "/dev/mapper/x"); len(got) != 2 || got[0].ID != 2 || got[1].ID != 3 {
		t.Errorf("%+v", got)
	}
}

func TestBtrfsConflict(t *testing.T) {
	const fsid = "0b0c5a9e-0000-4000-8000-000000000000"
	sysfs := t.TempDir()
	if err := btrfsConflict(sysfs, fsid, "dm-3"); err != nil {
		t.Errorf("not mounted: %v", err)
	}
	check(t, os.MkdirAll(filepath.Join(sysfs, fsid, "devices", "dm-3"), 0o755))
	if err := btrfsConflict(sysfs, fsid, "dm-3"); err != nil {
		t.Errorf("its own device: %v", err)
	}
	if err := btrfsConflict(sysfs, fsid, "dm-4"); !errors.Is(err, ErrSameFSID) {
		t.Errorf("another device: %v", err)
	}
	check(t, os.MkdirAll(filepath.Join(sysfs, "features/temp_fsid"), 0o755))
	if err := btrfsConflict(sysfs, fsid, "dm-4"); err != nil {
		t.Errorf("kernel with temp_fsid: %v", err)
	}
}
