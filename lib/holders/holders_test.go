package holders

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	found := []Holder{
		{WorksIn, 99, "sleep", "/mnt/dir"},
		{Open, 99, "sleep", "/mnt/x"},
		{Open, 812, "vi\nm\x1b[1m", "/mnt/a\tb"},
		{Kind: Mounted, Path: "/mnt/sub"},
		{Kind: Loop, Command: "/dev/loop3", Path: "/mnt/img"},
		{Kind: Swap, Path: "/mnt/swap"},
	}
	for limit, want := range map[int]string{
		6: "sleep (pid 99) works in /mnt/dir and has open /mnt/x, vi?m?[1m (pid 812) has open /mnt/a?b, /mnt/sub is mounted on it, " +
			"/dev/loop3 is on its file /mnt/img, the system swaps to /mnt/swap",
		1: "sleep (pid 99) works in /mnt/dir, and 5 more",
	} {
		if got := Line(found, limit); got != want {
			t.Errorf("%d: %s", limit, got)
		}
	}
	if got := Line(nil, 1); got != "" {
		t.Error(got)
	}
}

func TestTables(t *testing.T) {
	got := children("24 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 24 0:5 / /mnt/a\\040b rw - tmpfs x rw\n32 31 0:6 / /mnt/a\\040b/c rw - tmpfs x rw\nshort\n", 24)
	if want := []Holder{{Kind: Mounted, Path: "/mnt/a b"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	files := swapFiles("Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 1 0 -2\n/mnt/swap\\040file  file 1024 0 -3\n")
	if want := []string{"/mnt/swap file"}; !reflect.DeepEqual(files, want) {
		t.Errorf("%q", files)
	}
}

// A process of our own tree is made up of links, one of which leads to a mount
// that the test can ask for: that of its own folder.
func TestOfProcess(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "proc", "77")
	for _, d := range []string{"fd", "map_files"} {
		if err := os.MkdirAll(filepath.Join(home, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"cwd": dir, "root": "/proc", "exe": "/nosuch", "fd/3": dir, "fd/4": filepath.Join(dir, "proc"), "map_files/1-2": "/proc/self"} {
		if err := os.Symlink(to, filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "comm"), []byte("made up\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ofProcess(home, 77, mountOf(dir))
	want := []Holder{{WorksIn, 77, "made up", dir}, {Open, 77, "made up", filepath.Join(dir, "proc")}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzTables(f *testing.F) {
	f.Add("31 24 0:5 / /mnt/a\\040b rw - tmpfs x rw\n", 24)
	f.Add("/mnt/swap\\040file file 1024 0 -3\n", 0)
	f.Fuzz(func(t *testing.T, text string, id int) {
		lines := strings.Count(text, "\n") + 1
		if n := len(children(text, id)); n > lines {
			t.Errorf("%d children of %d lines", n, lines)
		}
		if n := len(swapFiles(text)); n > lines {
			t.Errorf("%d files of %d lines", n, lines)
		}
		if strings.ContainsAny(Line(children(text, id), 3), "\n\x1b") {
			t.Errorf("%q", text)
		}
	})
}
