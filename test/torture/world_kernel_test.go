//go:build kernel

package torture

import (
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	stateDir = "/var/lib/thin"
	runDir   = "/run/thin"
	utabPath = "/run/mount/utab"
)

// world is the machine, and the golden pool in a copy that nobody touches.
type world struct {
	golden string
	dirs   map[string]string // DIR1 to DIR3: mount points
	stuff  []byte            // what the file in base and keep holds
	clean  state             // with the golden pool in place, inactive

	checking sync.WaitGroup // of metadata: one blow's at a time
}

// newWorld makes the golden pool, on a tmpfs: what a test breaks by the hundred
// must not wait for a disk, and no step of a command depends on it.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{golden: t.TempDir(),
		dirs:  map[string]string{"DIR1": t.TempDir(), "DIR2": t.TempDir(), "DIR3": t.TempDir()},
		stuff: bytes.Repeat([]byte("stuff\n"), 5000)}
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, "mount", "-t", "tmpfs", "-o", "mode=0700", "golden", stateDir)
	must(t, "mount", "-t", "tmpfs", "-o", "mode=0700", "golden", w.golden)
	t.Cleanup(func() {
		w.checking.Wait()
		must(t, "umount", stateDir)
		must(t, "umount", w.golden)
		os.RemoveAll(runDir)
	})
	for _, argv := range [][]string{
		{"thin-snap", "pool", "create", "--size", "96M", "--metadata-size", "2M", "t"},
		{"thin-snap", "create", "--size", "16M", "--fs", "ext4", "t/base"},
		{"mount.thin", "t/base", "DIR1", "-o", "rw"},
	} {
		must(t, w.argv(argv)...)
	}
	if err := os.WriteFile(filepath.Join(w.dirs["DIR1"], "stuff"), w.stuff, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{
		{"umount.thin", "DIR1"},
		{"thin-snap", "snapshot", "t/base", "t/keep"},
		{"thin-snap", "snapshot", "t/base", "t/spare"},
		{"thin-snap", "create", "--size", "16M", "t/blank"},
		{"thin-snap", "pool", "deactivate", "t"},
	} {
		must(t, w.argv(argv)...)
	}
	must(t, "cp", "-a", "--sparse=always", stateDir+"/.", w.golden)
	w.clean = stateOf(t)
	return w
}

// argv puts the mount points in.
func (w *world) argv(words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = word
		if dir, ok := w.dirs[word]; ok {
			out[i] = dir
		}
	}
	return out
}

// set makes everything as it was, and then as the scenario wants it.
func (w *world) set(t *testing.T, s scenario) {
	t.Helper()
	w.restore(t)
	if slices.Contains(s.argv, "/dev/vdc") {
		wipe(t)
	}
	for _, argv := range s.before {
		argv = w.argv(argv)
		if argv[0] == "SLOW" {
			slow(t)
			continue
		}
		if argv[0] == "KILLED" {
			if o := strace(t, []string{"-e", "trace=" + argv[1], "-e",
				"inject=" + argv[1] + ":signal=SIGKILL:when=" + argv[2]}, argv[3:]); o.code != -1 {
				t.Fatalf("%v: was not killed: exit status %d: %s", argv, o.code, o.stderr)
			}
			continue
		}
		must(t, argv...)
	}
}

// restore puts the golden files back, with nothing in /run: which lock files
// there are decides how many calls a command makes. The backing files are
// written only where they differ: mostly they do not.
func (w *world) restore(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(runDir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(stateDir)
	for _, e := range entries {
		if e.Name() != "t" && err == nil {
			err = os.RemoveAll(filepath.Join(stateDir, e.Name()))
		}
	}
	if err == nil {
		err = os.RemoveAll(filepath.Join(stateDir, "t/volumes"))
	}
	if err == nil {
		err = filepath.Walk(w.golden, func(path string, info os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			to := filepath.Join(stateDir, strings.TrimPrefix(path, w.golden))
			if info.IsDir() {
				return os.MkdirAll(to, 0o700)
			}
			return restoreFile(path, to)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wipe makes the two disks nobody's.
func wipe(t *testing.T) {
	t.Helper()
	for _, dev := range []string{"/dev/vdc", "/dev/vdd"} {
		must(t, "dd", "if=/dev/zero", "of="+dev, "bs=1M", "count=4", "conv=notrunc", "status=none")
	}
}

// restoreFile makes to a sparse copy of from.
func restoreFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer dst.Close()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	if st.Size() < 1<<20 {
		b, err := io.ReadAll(src)
		if err == nil {
			err = dst.Truncate(0)
		}
		if err == nil {
			_, err = dst.WriteAt(b, 0)
		}
		return err
	}
	if err := dst.Truncate(0); err != nil {
		return err
	}
	if err := dst.Truncate(st.Size()); err != nil {
		return err
	}
	return copyData(src, dst)
}

// copyData copies what is not a hole.
func copyData(src, dst *os.File) error {
	for at := int64(0); ; {
		start, err := unix.Seek(int(src.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			return nil
		}
		if err != nil {
			return err
		}
		if at, err = unix.Seek(int(src.Fd()), start, unix.SEEK_HOLE); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(dst, start),
			io.NewSectionReader(src, start, at-start)); err != nil {
			return err
		}
	}
}

// raze clears away by force what commands could not, so that the next point
// finds a machine.
func (w *world) raze(t *testing.T) {
	t.Helper()
	clearAway(t, slices.Collect(maps.Values(w.dirs))...)
	w.restore(t)
}

// clearAway kills our commands, and removes the mounts on dirs and every
// device.
func clearAway(t *testing.T, dirs ...string) {
	t.Helper()
	exec.Command("pkill", "-KILL", "-x", "thin-snap|mount.thin|umount.thin").Run()
	for range 4 {
		for _, dir := range dirs {
			exec.Command("umount", "-i", dir).Run()
		}
		exec.Command("dmsetup", "resume", "-a").Run()
		for _, d := range devices(t) {
			name, _, _ := strings.Cut(d, " ")
			exec.Command("dmsetup", "resume", name).Run()
			exec.Command("dmsetup", "remove", "--retry", "--force", name).Run()
		}
	}
	exec.Command("losetup", "-D").Run()
	exec.Command("sh", "-c", "rm -f /dev/mapper/thin-*; ipcrm --all=sem; rm -f "+utabPath).Run()
	os.RemoveAll(runDir)
}

// razeIfFailed is for the end of a scenario.
func (w *world) razeIfFailed(t *testing.T) {
	if t.Failed() {
		w.raze(t)
	}
}
