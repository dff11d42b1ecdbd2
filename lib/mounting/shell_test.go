package mounting

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/fsprobe"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/mountinfo"
	"thinmount/lib/privdir"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// No folder's name breaks a command that root is to paste, or is one.
func TestHintsQuotePaths(t *testing.T) {
	const dir, want = "/mnt/a b$(x)", "'/mnt/a b$(x)'"
	s := host.Default()
	v := catalog.Volume{Pool: "p", Name: "v"}
	m := &mounting{System: s, dir: dir}
	file := &fs.PathError{Op: "open", Path: dir + "/f", Err: unix.EROFS}
	for name, hint := range map[string]string{
		"mkdir":       host.Hint(dirError(dir, fs.ErrNotExist)),
		"other path":  host.Hint((&mounting{System: s, dir: "/srv"}).addReference(t.Context(), nil, refcount.Record{Volume: "p/v", MountedOn: dir})),
		"not mounted": host.Hint(m.remount(refcount.Record{}, v)),
		"unknown":     host.Hint(m.unprobed("p/v", &fsprobe.AmbiguousError{})),
		"busy":        host.Hint((&unmounting{System: s, dir: dir}).busy(nil, unix.EBUSY)),
		"in use":      host.Hint(registry.RefuseMounted(s, nil, refcount.Record{Volume: "p/v", MountedOn: dir, References: 1}, v)),
		"elsewhere":   host.Hint(registry.Elsewhere("p/v", 7, dir)),
		"check":       health.DamageHint(catalog.Pool{Name: "p", Metadata: catalog.Backing{Path: dir}}),
		"folder":      host.Hint(&privdir.Error{Path: dir, Reason: "belongs to uid 1"}),
		"full":        host.Hint(&privdir.Error{Path: dir + "/f", Err: unix.ENOSPC}),
		"read-only":   host.Hint(file),
		"not a file":  host.Hint(&privdir.Error{Path: dir, Err: unix.ELOOP}),
		"utab, unmount": warned(t, func(s *host.System) {
			(&unmounting{System: s, dir: dir}).feedUtab(t.Context(), "p/v", &mountinfo.Info{Mountpoint: dir})
		}),
	} {
		if !strings.Contains(hint, want) || strings.Contains(strings.ReplaceAll(hint, want, ""), dir) {
			t.Errorf("%s: %s", name, hint)
		}
	}
}

// warned is what a use case warns of, where utab cannot be written.
func warned(t *testing.T, do func(*host.System)) (message string) {
	t.Helper()
	s := host.Default()
	s.MountDir = filepath.Join(t.TempDir(), "no", "such")
	s.Warn = func(m string) { message = m }
	do(s)
	return message
}
