//go:build kernel

package mount

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// The table is read again after each change that the kernel announces, and not
// without one.
func TestKernelMounts(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	var m Mounts
	defer m.Close()
	known := mountinfo.Parse("1 0 0:1 / / rw - known known rw\n")
	isKnown := func() bool {
		t.Helper()
		table, err := m.Now()
		do(t, err)
		return len(table.All()) == 1
	}
	if isKnown() {
		t.Fatal("there is one mount alone")
	}
	m.table = known
	if !isKnown() {
		t.Error("read again without a change")
	}
	for _, change := range []struct {
		name string
		do   func() error
	}{
		{"mount", func() error { return unix.Mount("thin", dir, "tmpfs", 0, "") }},
		{"remount", func() error {
			return unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
		}},
		{"move", func() error { return unix.Mount(dir, again, "", unix.MS_MOVE, "") }},
		{"unmount", func() error { return unix.Unmount(again, unix.MNT_DETACH) }},
	} {
		m.table = known
		do(t, change.do())
		if !m.Changed() {
			t.Errorf("%s: not announced", change.name)
		}
		if isKnown() {
			t.Errorf("%s: not read again", change.name)
		}
		if m.Changed() {
			t.Errorf("%s: announced twice", change.name)
		}
		m.table = known
		if !isKnown() {
			t.Errorf("%s: read twice", change.name)
		}
	}
	m.since = time.Now().Add(-unannounced)
	if isKnown() {
		t.Error("an old table is not read again")
	}
	m.Close()
	if m.table = known; isKnown() {
		t.Error("closed, and not read again")
	}
}

// A folder above a mount that gets another name is no change that the kernel
// announces. The table is read again after a while.
func TestKernelMountsRenamed(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a", "mnt")
	do(t, os.MkdirAll(dir, 0o700))
	do(t, unix.Mount("thin", dir, "tmpfs", 0, ""))
	defer unix.Unmount(filepath.Join(top, "b", "mnt"), unix.MNT_DETACH)
	var m Mounts
	defer m.Close()
	_, err := m.Now()
	do(t, err)
	do(t, os.Rename(filepath.Join(top, "a"), filepath.Join(top, "b")))
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		table, err := m.Now()
		do(t, err)
		if Top(table, filepath.Join(top, "b", "mnt")) != nil {
			return
		}
		if time.Now().After(until) {
			t.Fatal("never read again")
		}
	}
}
