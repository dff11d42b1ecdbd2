package mount

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A mount is opened by its ID: by another, or by a link that has taken the
// place of a folder above, nothing is.
func TestHold(t *testing.T) {
	table, err := Table()
	do(t, err)
	proc := Top(table, "/proc")
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_CLOEXEC, 0)
	do(t, err)
	defer unix.Close(fd)
	for name, ask := range map[string]func(int) (int, error){
		"statx": mountID, "fdinfo": mountIDInProc,
	} {
		if id, err := ask(fd); id != proc.ID || err != nil {
			t.Errorf("by %s: %d, %v, want %d", name, id, err, proc.ID)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	do(t, os.Symlink("/", link))
	for _, row := range []struct {
		target string
		id     int
		err    error
	}{
		{"/proc", proc.ID, nil},
		{"/proc", proc.Parent, ErrMoved},
		{link, proc.ID, ErrMoved},
		{link + "/proc", proc.Parent, ErrMoved},
		{"/proc/nosuch", proc.ID, unix.ENOENT},
	} {
		fd, err := hold(row.target, row.id)
		if !errors.Is(err, row.err) {
			t.Errorf("%s as %d: %v, want %v", row.target, row.id, err, row.err)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
}

// What has the path of a mount, and is another, is not asked to change. It is
// no mount at all here, which the kernel would say.
func TestRemountLooksAtID(t *testing.T) {
	dir := t.TempDir()
	for name, err := range map[string]error{
		"Remount": Remount(dir, -1, Options{}), "MakeReadOnly": MakeReadOnly(dir, -1),
	} {
		if !errors.Is(err, ErrMoved) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
