package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStartNeedsTheEntry(t *testing.T) {
	was := entered.Swap(false)
	defer entered.Store(was)
	if _, err := Start(Request{Args: []string{"true"}}); !errors.Is(err, errNoEntry) {
		t.Error(err)
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"a/yes": 0o755, "b/yes": 0o755, "a/no": 0o644,
		"b/both": 0o755, "a/both": 0o644} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "a/dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := dir + "/a:" + dir + "/b"
	for program, want := range map[string]error{
		dir + "/a/yes": nil, dir + "/b/both": nil, "": unix.ENOENT, "no": unix.EACCES,
		"none": unix.ENOENT, "dir": unix.ENOENT, "./none": nil, // exec says what is wrong with that
	} {
		found, err := lookPath(strings.TrimPrefix(program, dir+"/a/"), path)
		if strings.HasSuffix(program, "/both") {
			found, err = lookPath("both", path)
		}
		if !errors.Is(err, want) || (err == nil) != (want == nil) ||
			err == nil && found != program {
			t.Errorf("%q: %q, %v; want %v", program, found, err, want)
		}
	}
}

func TestExecStatus(t *testing.T) {
	for err, want := range map[error]int{unix.ENOENT: 127, unix.ENOTDIR: 127, unix.EACCES: 126,
		unix.ENOEXEC: 126} {
		e := &ExecError{"x", err}
		if e.Status() != want || e.Error() != "x: "+err.Error() {
			t.Errorf("%v: %d, %q", err, e.Status(), e)
		}
	}
}

func TestInForeground(t *testing.T) {
	for stat, want := range map[string]bool{
		"7 (thin-snap) S 1 7 7 34816 7 4194304": true,
		"7 (a) b) S 1 7 7 34816 7 4194304":      true,
		"7 (thin-snap) S 1 7 7 34816 9 4194304": false, // in the background
		"7 (thin-snap) S 1 7 7 0 -1 4194304":    false, // without a terminal
		"7 (":                                   false, "": false,
	} {
		if got := inForeground(stat); got != want {
			t.Errorf("%q: %v", stat, got)
		}
	}
}

// A variable of the same name is replaced: a program finds the first.
func TestEnvironment(t *testing.T) {
	t.Setenv("THIN_DIR", "outer")
	t.Setenv("THIN_DIRECTORY", "other")
	all := "\n" + strings.Join(environment([]string{"THIN_DIR=inner"}), "\n") + "\n"
	if strings.Contains(all, "outer") || !strings.Contains(all, "\nTHIN_DIR=inner\n") ||
		!strings.Contains(all, "\nTHIN_DIRECTORY=other\n") {
		t.Error(all)
	}
}
