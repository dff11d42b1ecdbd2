package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/privdir"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// TestCatalogErrors tells a missing pool, an invalid name and a damaged file
// apart. The error for a missing pool or a damaged file says what to do.
func TestCatalogErrors(t *testing.T) {
	s := host.Default()
	s.StateDir = t.TempDir()
	_, err := FindVolume(s, thintest.Named("nosuch/v"))
	if !errors.Is(err, fault.ErrNotFound) ||
		!strings.Contains(thintest.Show(host.RemedyOf(err)),
			`fault.ListPools{}, or make it: fault.CreatePool{Pool:"nosuch"}`) {
		t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
	}
	for _, names := range [][2]string{{"..", "v"}, {"p", "a/b"}, {"p", strings.Repeat("v", 128)},
		{"p", "a\nb"}} {
		volume := spec.Volume{Pool: names[0], Name: names[1]}
		if _, err := FindVolume(s, volume); !errors.Is(err, fault.ErrUsage) {
			t.Errorf("%q: %v", names, err)
		}
	}
	err = Corrupt("pool p", &catalog.CorruptError{Path: "/x/pool.json", Reason: "truncated"})
	if !strings.Contains(thintest.Show(host.RemedyOf(err)), "/x/pool.json") ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
	}
}

// TestSandbox tells what a sandbox keeps from us from what is wrong with the
// machine. Each needs another remedy.
func TestSandbox(t *testing.T) {
	table := t.TempDir() + "/mountinfo"
	os.WriteFile(table, []byte(`20 1 254:1 / / ro,relatime - ext4 /dev/vda1 rw
21 20 0:30 / /run ro,nosuid - tmpfs tmpfs rw,mode=755
22 20 0:31 / /var/lib/thin rw - ext4 /dev/vdb ro
23 20 0:32 / /run/thin rw - tmpfs tmpfs rw
`), 0o600)
	for path, want := range map[string]string{
		"/run/lock": "ReadWritePaths=/run", "/etc": "ReadWritePaths=/",
		"/var/lib/thin/demo": "mount -o remount,rw", "/run/thin/locks": "mount -o remount,rw",
	} {
		if got := host.ReadOnlyHint(path, table); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	s := host.Default()
	s.StateDir = t.TempDir() + "/thin"
	if _, err := OpenCatalog(s, "demo"); err == nil ||
		!strings.Contains(thintest.Show(host.RemedyOf(err)), `fault.CreatePool{Pool:"demo"}`) {
		t.Errorf("no pool: %v (%s)", err, thintest.Show(host.RemedyOf(err)))
	}
	os.Mkdir(s.StateDir, 0)
	if _, err := OpenCatalog(s, "demo"); err == nil ||
		!strings.Contains(err.Error(), "inaccessible in here") ||
		strings.Contains(thintest.Show(host.RemedyOf(err)), "CreatePool") {
		t.Errorf("hidden: %v (%s)", err, thintest.Show(host.RemedyOf(err)))
	}
	s.StateDir = t.TempDir() + "/no/such"
	if _, err := OpenCatalog(s, "demo"); !errors.Is(err, fault.ErrNotFound) ||
		strings.Contains(thintest.Show(host.RemedyOf(err)), "CreatePool") {
		t.Errorf("no folder above: %v (%s)", err, thintest.Show(host.RemedyOf(err)))
	}
	control := &fs.PathError{Op: "open", Path: "/dev/mapper/control", Err: unix.EPERM}
	for _, row := range []struct {
		err  error
		text string
		is   error
	}{
		{control,
			"device-mapper: there is none in here: open /dev/mapper/control: operation not " +
				"permitted",
			fault.ErrPermission},
		{fmt.Errorf("open: %w", dm.ErrNoDriver), "device-mapper: open: kernel has no device-mapper",
			fault.ErrNoKernel},
	} {
		if err := host.OpenError(row.err); err.Error() != row.text || !errors.Is(err, row.is) ||
			strings.Contains(thintest.Show(host.RemedyOf(err)), "root") !=
				(row.is == fault.ErrPermission) {
			t.Errorf("%v (%s), want %q", err, thintest.Show(host.RemedyOf(err)), row.text)
		}
	}
	if got := thintest.Show(host.RemedyOf(
		&privdir.Error{Path: "/dev/mapper", Err: unix.EROFS})); got == "" {
		t.Error("no hint")
	}
}
