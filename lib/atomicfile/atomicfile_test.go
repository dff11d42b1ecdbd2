package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pool.json")
	if err := os.WriteFile(Temp(path), []byte("left by a writer that was killed"),
		0o644); err != nil {
		t.Fatal(err)
	}
	for text, mode := range map[string]fs.FileMode{"a\n": 0o600, "": 0o644, "longer\n": 0o600} {
		if err := Replace(path, []byte(text), mode, nil); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		st, _ := os.Lstat(path)
		if err != nil || string(got) != text || st.Mode() != mode {
			t.Errorf("%q, mode %v, %v: want %q, %v", got, st.Mode(), err, text, mode)
		}
		only(t, path)
	}
}

// only wants that nothing but path is in its folder.
func only(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("%v, %v", entries, err)
	}
}

// Whatever step fails, the old content stays and no temp file does; a crash
// leaves one at most, and each step comes in its turn.
func TestReplaceFails(t *testing.T) {
	for _, crash := range []bool{false, true} {
		for i, at := range []string{"write", "sync", "rename"} {
			path := filepath.Join(t.TempDir(), "utab")
			if err := Replace(path, []byte("old"), 0o600, nil); err != nil {
				t.Fatal(err)
			}
			var steps []string
			err := Replace(path, []byte("new"), 0o600, func(step, of string) error {
				steps = append(steps, step)
				if want := map[bool]string{true: path,
					false: Temp(path)}[step == "rename"]; of != want {
					t.Errorf("%s of %s, want %s", step, of, want)
				}
				if step == at || crash && step == "discard" {
					return unix.EIO
				}
				return nil
			})
			want := append([]string{"write", "sync", "rename"}[:i+1:i+1], "discard")
			if err != unix.EIO || !slices.Equal(steps, want) {
				t.Errorf("%v at %v, want %v", err, steps, want)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
				t.Errorf("%s: %q, %v", at, got, err)
			}
			if crash && at != "write" {
				if got, err := os.ReadFile(Temp(path)); err != nil || string(got) != "new" {
					t.Errorf("%s: %q, %v", at, got, err)
				}
				continue
			}
			only(t, path)
		}
	}
}

// A write that ends halfway, as on a full disk, leaves the old content alone.
func TestReplaceOnFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	if err := Replace(path, []byte("old"), 0o600, nil); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 10, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	err := Replace(path, []byte(strings.Repeat("new", 10)), 0o600, nil)
	if e := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, unix.EFBIG) {
		t.Errorf("error %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("%q, %v", got, err)
	}
	only(t, path)
}

// Nothing is written through what stands in the temp file's place.
func TestReplaceFollowsNothing(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "pool.json"), filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, place := range map[error]func() error{
		unix.ELOOP: func() error { return os.Symlink(other, Temp(path)) },
		unix.ENXIO: func() error { return unix.Mkfifo(Temp(path), 0o600) },
	} {
		if err := place(); err != nil {
			t.Fatal(err)
		}
		if err := Replace(path, []byte("new"), 0o600, nil); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		os.Remove(Temp(path))
	}
	if got, err := os.ReadFile(other); err != nil || string(got) != "other" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSyncDir(t *testing.T) {
	dir := t.TempDir()
	if err := SyncDir(dir); err != nil {
		t.Error(err)
	}
	if err := SyncDir(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
