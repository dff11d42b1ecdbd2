package thin

import (
	"bytes"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/fsprobe"
	"thinmount/lib/mountinfo"
	"thinmount/lib/privdir"
	"thinmount/lib/refcount"
)

func TestShellPath(t *testing.T) {
	for path, want := range map[string]string{
		"/mnt/a-b_c.d+e@f%g:h,i=1": "/mnt/a-b_c.d+e@f%g:h,i=1",
		"/mnt/a b$(x)":             "'/mnt/a b$(x)'",
		"it's; rm -rf ~":           `'it'\''s; rm -rf ~'`,
		"":                         "''",
		"-rf":                      "./-rf",
		"/ä":                       "'/ä'",
		"/a\x1b[2J\n'\\b":          `$'/a\033\1332J\012\047\134b'`,
		"/\u009b/\u202e/\xff":      `$'/\302\233/\342\200\256/\377'`,
	} {
		if got := shellPath(path); got != want {
			t.Errorf("%q is written %s, want %s", path, got, want)
		}
	}
}

// A shell reads of every path what it was, and no terminal reads anything else.
func FuzzShellPath(f *testing.F) {
	for _, s := range []string{"/mnt/a b$(x)", "it's", "`id`\n\"!\\", "-rf\x9b", "a\u202e$'"} {
		f.Add(s)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		path = strings.ReplaceAll(path, "\x00", "")
		word := shellPath(path)
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is written %q", path, word)
		}
		c := exec.Command(bash, "-r", "-c", "printf %s "+word) // restricted, should a path be a command after all
		c.Env = []string{"LC_ALL=C", "PATH=/nonexistent"}
		got, err := c.Output()
		if err != nil || !bytes.Equal(bytes.TrimPrefix(got, []byte("./")), []byte(strings.TrimPrefix(path, "./"))) {
			t.Errorf("%q is written %s, which is %q, %v", path, word, got, err)
		}
	})
}

// No folder's name breaks a command that root is to paste, or is one.
func TestHintsQuotePaths(t *testing.T) {
	const dir, want = "/mnt/a b$(x)", "'/mnt/a b$(x)'"
	s := Default()
	v := catalog.Volume{Pool: "p", Name: "v"}
	m := &mounting{System: s, dir: dir}
	file := &fs.PathError{Op: "open", Path: dir + "/f", Err: unix.EROFS}
	for name, hint := range map[string]string{
		"mkdir":       Hint(dirError(dir, fs.ErrNotExist)),
		"other path":  Hint((&mounting{System: s, dir: "/srv"}).addReference(t.Context(), nil, refcount.Record{Volume: "p/v", MountedOn: dir})),
		"not mounted": Hint(m.remount(refcount.Record{}, v)),
		"unknown":     Hint(m.unprobed("p/v", &fsprobe.AmbiguousError{})),
		"busy":        Hint((&unmounting{System: s, dir: dir}).busy(nil, unix.EBUSY)),
		"in use":      Hint(s.refuseMounted(nil, refcount.Record{Volume: "p/v", MountedOn: dir, References: 1}, v)),
		"elsewhere":   Hint(elsewhere("p/v", 7, dir)),
		"check":       damageHint(catalog.Pool{Name: "p", Metadata: catalog.Backing{Path: dir}}),
		"folder":      Hint(&privdir.Error{Path: dir, Reason: "belongs to uid 1"}),
		"full":        Hint(&privdir.Error{Path: dir + "/f", Err: unix.ENOSPC}),
		"read-only":   Hint(file),
		"not a file":  Hint(&privdir.Error{Path: dir, Err: unix.ELOOP}),
		"utab, unmount": warned(t, func(s *System) {
			(&unmounting{System: s, dir: dir}).feedUtab(t.Context(), "p/v", &mountinfo.Info{Mountpoint: dir})
		}),
	} {
		if !strings.Contains(hint, want) || strings.Contains(strings.ReplaceAll(hint, want, ""), dir) {
			t.Errorf("%s: %s", name, hint)
		}
	}
}

// warned is what a use case warns of, where utab cannot be written.
func warned(t *testing.T, do func(*System)) (message string) {
	t.Helper()
	s := Default()
	s.MountDir = filepath.Join(t.TempDir(), "no", "such")
	s.Warn = func(m string) { message = m }
	do(s)
	return message
}
