//go:build kernel

package holders

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestMain makes the test's own program, which needs no libraries, one that only
// waits.
func TestMain(m *testing.M) {
	if os.Getenv("HOLD") != "" {
		fmt.Println()
		io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

// tmpfs mounts one on a folder of the test's.
func tmpfs(t *testing.T) string {
	dir := t.TempDir()
	run(t, "mount", "-t", "tmpfs", "-o", "size=64M", "holders", dir)
	t.Cleanup(func() { exec.Command("umount", "-R", dir).Run() })
	return dir
}

// begin starts a process, and ends it with the test. It says a line when ready.
func begin(t *testing.T, dir string, line string) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// Every way to hold a mount is found, and no process that only holds another
// mount of the same filesystem, in another mount namespace.
func TestKernelHolders(t *testing.T) {
	dir := tmpfs(t)
	for _, d := range []string{"dir", "sub"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "cp", fmt.Sprintf("/proc/%d/exe", os.Getpid()), dir+"/hold")
	run(t, "truncate", "-s", "1M", dir+"/img")
	pids := map[Kind]int{
		WorksIn: begin(t, dir+"/dir", "echo; read x"),
		Open:    begin(t, "/", "exec 9>"+dir+"/file; echo; read x"),
		Runs:    begin(t, "/", "export HOLD=1; exec "+dir+"/hold"),
		RootIn:  begin(t, "/", "export HOLD=1; exec chroot "+dir+" /hold"),
	}
	stranger := begin(t, "/", "exec unshare -m --propagation private sh -c 'cd "+dir+"/dir; echo; read x'")
	run(t, "mount", "-t", "tmpfs", "holders", dir+"/sub")
	loop := run(t, "losetup", "--show", "-f", dir+"/img")
	defer exec.Command("losetup", "-d", loop).Run()

	m := Mount{ID: id(t, dir), Dir: dir}
	found := Of(context.Background(), "/proc", m)
	for kind, pid := range pids {
		if !slices.ContainsFunc(found, func(h Holder) bool { return h.Kind == kind && h.PID == pid }) {
			t.Errorf("%s: process %d is missing: %+v", kind, pid, found)
		}
	}
	for _, want := range []Holder{{Kind: Mounted, Path: dir + "/sub"}, {Kind: Loop, Command: loop, Path: dir + "/img"}} {
		if !slices.Contains(found, want) {
			t.Errorf("%+v is missing: %+v", want, found)
		}
	}
	if slices.ContainsFunc(found, func(h Holder) bool { return h.PID == stranger }) {
		t.Errorf("process %d holds another mount: %+v", stranger, found)
	}
	compareFuser(t, dir, found, stranger)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if some := Of(ended, "/proc", m); slices.ContainsFunc(some, func(h Holder) bool { return h.PID != 0 }) {
		t.Errorf("looked on after the end: %+v", some)
	}
}

// compareFuser asks fuser, which goes by the filesystem and so names the
// stranger, too.
func compareFuser(t *testing.T, dir string, found []Holder, stranger int) {
	out, _ := exec.Command("fuser", "-m", dir).Output()
	var want, got []int
	for _, n := range regexp.MustCompile(`\d+`).FindAllString(string(out), -1) {
		if pid, _ := strconv.Atoi(n); pid != stranger {
			want = append(want, pid)
		}
	}
	for _, h := range found {
		if h.PID != 0 {
			got = append(got, h.PID)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("we name %v, fuser %v", got, want)
	}
}

func id(t *testing.T, dir string) int {
	n, err := strconv.Atoi(run(t, "findmnt", "-n", "-o", "ID", "--mountpoint", dir))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
