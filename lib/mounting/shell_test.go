package mounting

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mountinfo"
	"thinmount/lib/privdir"
	"thinmount/lib/refcount"
	"thinmount/lib/thintest"
)

// Root pastes the commands of hints into a shell. So a folder's name must not
// break such a command, and must not be run as one.
func TestHintsQuotePaths(t *testing.T) {
	const dir, want = "/mnt/a b$(x)", "'/mnt/a b$(x)'"
	s := host.Default()
	m := &mounting{System: s, dir: dir}
	file := &fs.PathError{Op: "open", Path: dir + "/f", Err: unix.EROFS}
	for name, hint := range map[string]string{
		"mkdir": thintest.Show(host.RemedyOf(dirError(dir, fs.ErrNotExist))),
		"other path": thintest.Show(host.RemedyOf(
			(&mounting{System: s, dir: "/srv"}).addReference(
				t.Context(), nil, refcount.Record{Volume: thintest.Named("p/v"), MountedOn: dir}))),
		"encrypted": thintest.Show(host.RemedyOf(m.unprobed(thintest.Named("p/v"),
			&fsprobe.OtherError{Result: fsprobe.Result{Type: "crypto_LUKS"}}))),
		"busy": thintest.Show(host.RemedyOf(
			(&unmounting{System: s, dir: dir}).busyError(nil, unix.EBUSY))),
		"folder": thintest.Show(host.RemedyOf(
			&privdir.Error{Path: dir, Reason: "belongs to uid 1"})),
		"full": thintest.Show(host.RemedyOf(
			&privdir.Error{Path: dir + "/f", Err: unix.ENOSPC})),
		"read-only":  thintest.Show(host.RemedyOf(file)),
		"not a file": thintest.Show(host.RemedyOf(&privdir.Error{Path: dir, Err: unix.ELOOP})),
	} {
		if !strings.Contains(hint, want) ||
			strings.Contains(strings.ReplaceAll(hint, want, ""), dir) {
			t.Errorf("%s: %s", name, hint)
		}
	}
	utab := warned(t, func(s *host.System) {
		(&unmounting{System: s, dir: dir}).addSpareUtabLine(t.Context(), thintest.Named("p/v"),
			&mountinfo.Info{Mountpoint: dir})
	})
	if !strings.Contains(utab, thintest.Show(fault.UnmountByHelper{Path: dir})) {
		t.Errorf("utab: %s", utab)
	}
}

// warned returns the warning of a use case that cannot write utab.
func warned(t *testing.T, do func(*host.System)) (message string) {
	t.Helper()
	s := host.Default()
	s.MountDir = filepath.Join(t.TempDir(), "no", "such")
	s.Warn = func(m fault.Message) { message = m.String() }
	do(s)
	return message
}
