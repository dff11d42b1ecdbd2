package privdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	for _, want := range []bool{true, false} {
		if made, err := Make(dir); made != want || err != nil {
			t.Errorf("made %v, %v; want %v", made, err, want)
		}
	}
	if st, err := os.Lstat(dir); err != nil || st.Mode() != fs.ModeDir|0o700 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if _, err := Make(filepath.Join(dir, "missing", "state")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a parent: %v", err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	chmod := func(mode os.FileMode) func(string) error {
		return func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, mode)) }
	}
	for _, tt := range []struct {
		name string
		make func(string) error
		uid  int
		want string
	}{
		{"private", chmod(0o700), os.Geteuid(), ""},
		{"readable", chmod(0o755), os.Geteuid(), ""},
		{"group", chmod(0o770), os.Geteuid(), "is writable by others (mode 0770; wanted is 0700)"},
		{"others", chmod(0o702), os.Geteuid(), "is writable by others"},
		{"sticky", chmod(0o777 | os.ModeSticky), os.Geteuid(), "is writable by others"},
		{"of another user", chmod(0o700), os.Geteuid() + 1, "belongs to uid"},
		{"symlink", func(p string) error { return os.Symlink(path("private"), p) }, os.Geteuid(),
			"is a symlink"},
		{"file", func(p string) error { return os.WriteFile(p, nil, 0o600) }, os.Geteuid(),
			"is not a directory"},
		{"missing", func(string) error { return nil }, os.Geteuid(), "no such file or directory"},
	} {
		if err := tt.make(path(tt.name)); err != nil {
			t.Fatal(err)
		}
		err := check(path(tt.name), tt.uid)
		if (err == nil) != (tt.want == "") {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "directory "+path(tt.name)+": "+tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, err, tt.want)
		}
		if tt.uid == os.Geteuid() {
			if again := Check(path(tt.name)); (again == nil) != (err == nil) {
				t.Errorf("%s: Check says %v", tt.name, again)
			}
		}
	}
}

// TestCheckPath wants an error if another user could replace a directory on the
// path.
func TestCheckPath(t *testing.T) {
	top := t.TempDir()
	make := func(name string, mode os.FileMode) string {
		path := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open, sticky, plain :=
		make("open", 0o777), make("sticky", 0o777|os.ModeSticky), make("plain", 0o755)
	link := filepath.Join(top, "link")
	if err := os.Symlink(plain, link); err != nil {
		t.Fatal(err)
	}
	for path, bad := range map[string]string{
		plain: "", make("open/below", 0o755): open, open: open,
		make("sticky/below", 0o755): "", sticky: sticky, make("plain/below", 0o755): "",
		filepath.Join(link, "below"): link, filepath.Join(top, "none"): filepath.Join(top, "none"),
	} {
		err := CheckPath(path)
		unfit, ok := errors.AsType[*Error](err)
		if (err == nil) != (bad == "") || ok && unfit.Path != bad {
			t.Errorf("%s: %v, want a complaint about %q", path, err, bad)
		}
	}
	if err := checkPath(plain, os.Geteuid()+1); os.Geteuid() != 0 && err == nil {
		t.Errorf("%s: is somebody else's", plain)
	}
}
