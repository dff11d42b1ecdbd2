package fuser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stage is a procfs and a sysfs that the test makes. Its mount is the one on
// which the test's folder dir lies.
type stage struct {
	proc, sys, dir string
	mount          Mount
}

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{t.TempDir(), t.TempDir(), t.TempDir(), Mount{}}
	at, err := stat(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.mount = Mount{at.id, at.major, at.minor, s.dir}
	s.write(t, "self/mountinfo", fmt.Sprintf("%d 1 %d:%d / %s rw - tmpfs x rw\n", at.id, at.major,
		at.minor, s.dir))
	return s
}

func (s stage) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(s.proc, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700),
		os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func (s stage) link(t *testing.T, name, to string) {
	t.Helper()
	path := filepath.Join(s.proc, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700),
		os.Symlink(to, path)); err != nil {
		t.Fatal(err)
	}
}

// process makes a process that has the stage's folder as its working directory.
func (s stage) process(t *testing.T, pid int, comm string) {
	t.Helper()
	s.link(t, fmt.Sprintf("%d/cwd", pid), s.dir)
	s.write(t, fmt.Sprintf("%d/comm", pid), comm+"\n")
	s.write(t, fmt.Sprintf("%d/status", pid), "Name:\tx\nUid:\t1\t1000\t3\t4\n")
}

func (s stage) of(t *testing.T) []Holder {
	t.Helper()
	found, err := of(t.Context(), s.proc, s.sys, s.mount)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOf(t *testing.T) {
	s := newStage(t)
	file := filepath.Join(s.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.process(t, 99, "sleep")
	s.process(t, 12, "vim")
	s.link(t, "12/root", "/proc/self") // not on the mount
	s.link(t, "12/fd/3", file)
	s.link(t, "12/fd/4", file)
	s.link(t, "12/fd/5", "/nowhere")
	s.link(t, "12/task/13/cwd", file)
	s.write(t, "12/maps", fmt.Sprintf("00400000-00452000 r-xp 00000000 %02x:%02x 7 /m/lib\n",
		s.mount.Major, s.mount.Minor))
	s.process(t, os.Getpid(), "ourselves")
	s.link(t, "50/cwd", "/proc/self")
	want := []Holder{
		{12, "vim", 1000, Cwd, s.dir, 0}, {12, "vim", 1000, Open, file, 0},
		{12, "vim", 1000, Mapped, "/m/lib", 0},
		{99, "sleep", 1000, Cwd, s.dir, 0},
	}
	if got := s.of(t); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestOfKernel(t *testing.T) {
	s := newStage(t)
	info, err := os.ReadFile(s.proc + "/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "self/mountinfo",
		fmt.Sprintf("1 1 0:1 / / rw - x x rw\n%s9%d %d 0:9 / %s/a\\040b rw - x x rw\n", info,
			s.mount.ID, s.mount.ID, s.dir))
	s.write(t, "swaps",
		fmt.Sprintf(
			"Filename\tType\n%s/swap file 1 0 -2\n%s/a\\040b/s file 1 0 -2\n"+
				"%[1]s-not file 1 0 -2\n", s.dir, s.dir))
	for name, file := range map[string]string{
		"loop1": s.dir + "/a\nb", "loop2": "/elsewhere", "sda": s.dir + "/x",
	} {
		dir := filepath.Join(s.sys, "block", name, "loop")
		if err := errors.Join(os.MkdirAll(dir, 0o700),
			os.WriteFile(dir+"/backing_file", []byte(file+"\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want := []Holder{
		{0, "", -1, Submount, s.dir + "/a b", 0}, {0, "", -1, Swap, s.dir + "/swap", 0},
		{0, "loop1", -1, Loop, s.dir + "/a\nb", 0},
	}
	if got := s.of(t); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestCapped(t *testing.T) {
	all := []Holder{{PID: 1, More: 1}, {PID: 2}, {PID: 3, More: 4}}
	if got := capped(all, 2); !slices.Equal(got, []Holder{{PID: 1, More: 1}, {PID: 2, More: 5}}) {
		t.Errorf("%+v", got)
	}
	if got := capped(all[:2], 2); len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestOfFirst has a mount that is its own parent, as the first mount of all may
// be. It wants no holder.
func TestOfFirst(t *testing.T) {
	s := newStage(t)
	s.write(t, "self/mountinfo", fmt.Sprintf("%d %[1]d 0:1 / %s rw - x x rw\n", s.mount.ID, s.dir))
	if got := s.of(t); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestOfMany(t *testing.T) {
	s := newStage(t)
	for pid := 100; pid < 200; pid++ {
		s.process(t, 1000000+pid, "many")
	}
	s.process(t, 7, "files")
	for n := range 20 {
		file := fmt.Sprintf("%s/%02d", s.dir, n)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s.link(t, fmt.Sprintf("7/fd/%d", n), file)
	}
	got, total := s.of(t), 0
	for _, h := range got {
		total += 1 + h.More
	}
	if len(got) != maxProcess || total != 121 || got[maxOfProcess-1].More != 21-maxOfProcess ||
		got[maxOfProcess].PID != 1000100 {
		t.Errorf("%d kept, %d in all: %+v", len(got), total, got)
	}
	if line := Line(got, 2); !strings.HasSuffix(line, "and 119 more") {
		t.Error(line)
	}
}

// TestOfStuck has a process whose name can never be read. It wants the other
// process found when the context ends.
func TestOfStuck(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.process(t, 5, "stuck")
	s.process(t, 6, "vim")
	fifo := s.proc + "/5/comm"
	if err := errors.Join(os.Remove(fifo), unix.Mkfifo(fifo, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // ends the read of the FIFO
		if f, err := os.OpenFile(fifo, os.O_RDWR, 0); err == nil {
			f.Close()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	found, err := of(ctx, s.proc, s.sys, s.mount)
	if !errors.Is(err, context.DeadlineExceeded) || len(found) != 1 || found[0].PID != 6 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestOfNoProc(t *testing.T) {
	if found, err := Of(t.Context(), t.TempDir(), Mount{Point: "/mnt"}); len(found) > 0 ||
		!errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v", found, err)
	}
}

// TestOn wants that the mount ID decides, and before Linux 5.8, which gives
// none, the device number.
func TestOn(t *testing.T) {
	l := look{search: &search{mount: Mount{ID: 4, Major: 253, Minor: 7}}}
	for _, tt := range []struct {
		at   place
		want bool
	}{
		{place{id: 4, major: 253, minor: 7}, true}, {place{id: 4, major: 0, minor: 9}, true},
		{place{id: 5, major: 253, minor: 7}, false}, {place{id: 9, major: 253, minor: 7}, true},
		{place{id: 0, major: 253, minor: 7}, true}, {place{id: 0, major: 253, minor: 8}, false},
	} {
		if got := l.on(tt.at, map[int]bool{4: true, 9: true}); got != tt.want {
			t.Errorf("%+v: %v", tt.at, got)
		}
	}
}
