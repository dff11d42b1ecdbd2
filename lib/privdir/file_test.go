package privdir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUnfitFile(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		mode os.FileMode
		uid  int
		want string
	}{
		{"private", 0o600, os.Geteuid(), ""},
		{"readable", 0o644, os.Geteuid(), ""},
		{"group", 0o660, os.Geteuid(), "is writable by others (mode 0660; wanted is 0600)"},
		{"others", 0o602, os.Geteuid(), "is writable by others"},
		{"foreign", 0o600, os.Geteuid() + 1, "belongs to uid"},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		st, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := unfitFile(st, tt.uid); (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if tt.uid == os.Geteuid() && UnfitFile(st) != unfitFile(st, tt.uid) {
			t.Errorf("%s: %q", tt.name, UnfitFile(st))
		}
	}
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, fifo} {
		st, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := UnfitFile(st); got != "is not a regular file" {
			t.Errorf("%s: %q", path, got)
		}
	}
}
