package privdir

import (
	"errors"
	"io/fs"
	"net"
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
		{"of another user", 0o600, os.Geteuid() + 1, "belongs to uid"},
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
		if got := unfitFile(st, tt.uid); (got == "") != (tt.want == "") ||
			!strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if tt.uid != os.Geteuid() {
			continue
		}
		if _, unfit, err := ReadFile(path, 1); unfit != unfitFile(st, tt.uid) || err != nil {
			t.Errorf("%s: %q, %v", tt.name, unfit, err)
		}
	}
}

// TestReadFile wants that ReadFile refuses a file that is too large or not
// regular, follows no symlink, and waits for no FIFO.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("five"), []byte("12345"), 0o600),
		os.WriteFile(at("six"), []byte("123456"), 0o600), unix.Mkfifo(at("fifo"), 0o600),
		os.Symlink(at("five"), at("link")), os.Symlink(at("none"), at("dangling")),
	); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	const irregular = "is not a regular file"
	for name, want := range map[string]string{
		"five": "", "six": "is larger than 5 bytes", "fifo": irregular, "link": irregular,
		"dangling": irregular, "socket": irregular, ".": irregular,
	} {
		b, unfit, err := ReadFile(at(name), 5)
		if unfit != want || err != nil || want == "" != (string(b) == "12345") {
			t.Errorf("%s: %q, %q, %v; want %q", name, b, unfit, err, want)
		}
	}
	if b, unfit, err := ReadFile(at("none"), 5); b != nil || unfit != "" ||
		!errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %q, %v", b, unfit, err)
	}
}
