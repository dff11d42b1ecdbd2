package filelock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFileOfLock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	l := must(t)(Exclusive(t.Context(), path))
	defer l.Unlock()
	if l.path != path {
		t.Errorf("path %s", l.path)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if flags := fdFlags(t, path); flags&unix.O_CLOEXEC == 0 {
		t.Errorf("flags %o: a child inherits the lock", flags)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("an uncontended lock leaves %d files", len(entries))
	}
}

// fdFlags finds our descriptor of path and returns its flags.
func fdFlags(t *testing.T, path string) (flags int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to != path {
			continue
		}
		b, err := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "flags:")
		if _, err := fmt.Sscanf(rest, "%o", &flags); err != nil {
			t.Fatal(err)
		}
		return flags
	}
	t.Fatalf("no descriptor of %s", path)
	return 0
}

func TestUnusableFile(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		want error
	}{
		{link, unix.ELOOP},
		{filepath.Join(dir, "missing", "lock"), fs.ErrNotExist},
		{filepath.Join(dir, strings.Repeat("x", 256)), unix.ENAMETOOLONG},
	} {
		for name, lock := range map[string]func(string) (*Lock, error){
			"TryExclusive": TryExclusive, "TryShared": TryShared,
			"Exclusive": func(p string) (*Lock, error) { return Exclusive(t.Context(), p) },
			"Shared":    func(p string) (*Lock, error) { return Shared(t.Context(), p) },
		} {
			_, err := lock(tt.path)
			if !errors.Is(err, tt.want) {
				t.Errorf("%s %s: %v, want %v", name, tt.path, err, tt.want)
			}
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("the symlink was followed")
	}
}
