package thin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/loop"
)

// TestMissingBackingIsTyped wants that a missing disk or file is told apart from
// one that fails, and that a missing loop driver is neither.
func TestMissingBackingIsTyped(t *testing.T) {
	p, _, _ := testPool(t, catalog.KindFile)
	file, disk := p.cat.Pool().Data, catalog.Backing{Kind: catalog.KindDevice, Path: "/dev/disk/by-id/x"}
	at := func(errno error) error { return &fs.PathError{Op: "open", Path: "/x", Err: errno} }
	for _, row := range []struct {
		backing    catalog.Backing
		err        error
		want       error
		text, hint string
	}{
		{file, at(unix.ENOENT), ErrNoBacking, "its data file is not there", "findmnt -T"},
		{file, at(unix.ENOTDIR), ErrNoBacking, "its data file is not there", "findmnt -T"},
		{disk, at(unix.ENOENT), ErrNoBacking, "its data device is not there", "lsblk"},
		{disk, at(unix.ENXIO), ErrNoBacking, "its data device is not there", "lsblk"},
		{disk, at(unix.ENOMEDIUM), ErrNoBacking, "its data device is not there", "lsblk"},
		{disk, at(unix.EIO), ErrPoolState, "input/output error", "back"},
		{file, fmt.Errorf("%w: %w", loop.ErrNoDriver, at(unix.ENOENT)), ErrNoKernel, "no loop devices", "modprobe loop"},
	} {
		err := p.backingError(partData, row.backing, row.err)
		if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) || !strings.Contains(Hint(err), row.hint) {
			t.Errorf("%v: %v (%s)", row.err, err, Hint(err))
		}
		if missing := row.want == ErrNoBacking; errors.Is(err, ErrNoBacking) != missing || missing && !errors.Is(err, ErrPoolState) {
			t.Errorf("%v: missing is %v", row.err, !missing)
		}
	}
}

// TestLinkedStateDirHint wants the hint that helps where the folder of all
// state is a symlink.
func TestLinkedStateDirHint(t *testing.T) {
	dir := t.TempDir()
	s := stateIn(dir)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "big"), 0o700), os.Symlink("big", s.StateDir)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Pools(t.Context())
	want := "mount --bind " + filepath.Join(dir, "big") + " " + s.StateDir
	if err == nil || !strings.Contains(Hint(err), want) {
		t.Errorf("%v (%s), want %s", err, Hint(err), want)
	}
}
