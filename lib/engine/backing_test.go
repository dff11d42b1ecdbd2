package engine

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
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/thintest"
)

// TestMissingBackingIsTyped checks that a missing disk or file has another kind
// of error than a disk that fails, and that a missing loop driver has neither
// kind.
func TestMissingBackingIsTyped(t *testing.T) {
	p, _, _ := testPool(t, catalog.KindFile)
	file, disk := p.Catalog.Pool().Data,
		catalog.Backing{Kind: catalog.KindDevice, Path: "/dev/disk/by-id/x"}
	at := func(errno error) error { return &fs.PathError{Op: "open", Path: "/x", Err: errno} }
	for _, row := range []struct {
		backing    catalog.Backing
		err        error
		want       error
		text, hint string
	}{
		{file, at(unix.ENOENT), fault.ErrNoBacking, "its data file is not there", "findmnt -T"},
		{file, at(unix.ENOTDIR), fault.ErrNoBacking, "its data file is not there", "findmnt -T"},
		{disk, at(unix.ENOENT), fault.ErrNoBacking, "its data device is not there", "lsblk"},
		{disk, at(unix.ENXIO), fault.ErrNoBacking, "its data device is not there", "lsblk"},
		{disk, at(unix.ENOMEDIUM), fault.ErrNoBacking, "its data device is not there", "lsblk"},
		{disk, at(unix.EIO), fault.ErrPoolState, "input/output error", "back"},
		{file, fmt.Errorf("%w: %w", loop.ErrNoDriver, at(unix.ENOENT)), fault.ErrNoKernel,
			"no loop devices", "modprobe loop"},
	} {
		err := p.backingError(dmname.Data, row.backing, row.err)
		if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) ||
			!strings.Contains(thintest.Show(host.RemedyOf(err)), row.hint) {
			t.Errorf("%v: %v (%s)", row.err, err, thintest.Show(host.RemedyOf(err)))
		}
		if missing := row.want ==
			fault.ErrNoBacking; errors.Is(err, fault.ErrNoBacking) != missing ||
			missing && !errors.Is(err, fault.ErrPoolState) {
			t.Errorf("%v: missing is %v", row.err, !missing)
		}
	}
}

// TestSharedFiles checks that a pool is refused if its catalog was copied by
// hand and names the files of the original. The label names the original.
func TestSharedFiles(t *testing.T) {
	s := thintest.System(t.TempDir())
	srv := t.TempDir()
	cat := thintest.Catalog(t, s, catalog.KindFile, srv)
	twin := cat.Pool()
	twin.Name = "twin"
	copied, err := s.Catalogs().Create(twin)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(srv, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.Truncate(2<<20),
		label.Write(f, label.Label{Pool: "demo", UUID: thintest.UUID, Role: "data"})); err != nil {
		t.Fatal(err)
	}
	p, q := &Pool{Sys: s, DM: thintest.NoDevices(), Catalog: cat},
		&Pool{Sys: s, DM: thintest.NoDevices(), Catalog: copied}
	if err := p.RefuseShared(); err != nil {
		t.Errorf("the pool itself: %v", err)
	}
	if err := q.RefuseShared(); !errors.Is(err, fault.ErrPoolState) ||
		!strings.Contains(err.Error(), "is a copy of pool demo") {
		t.Errorf("its copy: %v", err)
	}
}
