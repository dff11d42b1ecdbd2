//go:build kernel

package job

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is also the second process.
func TestMain(m *testing.M) {
	RunIfChild()
	os.Exit(m.Run())
}

// detached returns a tmpfs that is mounted in no place.
func detached(t *testing.T) *os.File {
	t.Helper()
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		t.Fatal(err)
	}
	m, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(m), "tmpfs")
	t.Cleanup(func() { f.Close() })
	return f
}

// begin starts a shell. What it prints goes to a file.
func begin(t *testing.T, script string) (j *Job, out string) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	dir := t.TempDir()
	out = filepath.Join(dir, "out")
	j, err := Start(Request{Mount: detached(t), Dir: dir, Sync: SyncAlways,
		Args: []string{"sh", "-c", script}, Env: []string{"OUT=" + out + "-"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j, out
}

// end waits for the job's end.
func end(t *testing.T, j *Job, want int) {
	t.Helper()
	late := time.AfterFunc(time.Minute, j.Close)
	defer late.Stop()
	ended := false
	res, err := j.Wait(func() { ended = true })
	if err != nil || res.Status != want || res.Lost != nil {
		t.Errorf("%+v, %v; want status %d", res, err, want)
	}
	if !ended && want != 137 {
		t.Error("the end was not told")
	}
}

func TestKernelStatus(t *testing.T) {
	for script, want := range map[string]int{
		"exit 3": 3, "true": 0, "kill -TERM $$": 143, "kill -9 $$": 137,
		"[ $PPID = 1 ]": 0,
		// its own mount is its working folder, and empty
		"[ -z \"$(ls -A)\" ] && [ \"$(stat -f -c %T .)\" = tmpfs ] && touch x": 0,
		// /proc is that of its own namespace
		"[ -d /proc/$$ ] && [ \"$(cat /proc/1/comm)\" = thin-run ]": 0,
		// what is left is killed, and not waited for
		"setsid sleep 1000 & cd /; (trap '' TERM HUP; sleep 1001) &": 0,
	} {
		j, _ := begin(t, script)
		start := time.Now()
		end(t, j, want)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: took %v", script, took)
		}
	}
}

// Nothing is seen from outside.
func TestKernelOutside(t *testing.T) {
	j, out := begin(t, "touch x; sleep 1000")
	dir := filepath.Dir(out)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(table), dir) {
		t.Error("the mount is in our namespace")
	}
	j.Signal(unix.SIGTERM)
	end(t, j, 143)
}

func TestKernelNoProgram(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for program, want := range map[string]int{"/nonexistent": 127, "nosuch-program": 127,
		"/etc/passwd": 126, "/etc": 126} {
		_, err := Start(Request{Mount: detached(t), Dir: t.TempDir(), Args: []string{program}})
		exec, ok := errors.AsType[*ExecError](err)
		if !ok || exec.Status() != want {
			t.Errorf("%s: %v", program, err)
		}
	}
	_, err := Start(Request{Mount: detached(t), Dir: "/nonexistent", Args: []string{"true"}})
	if setup, ok := errors.AsType[*setupError](err); !ok || !errors.Is(setup, unix.ENOENT) {
		t.Error(err)
	}
}

// When the second process is killed, so are all others.
func TestKernelKilled(t *testing.T) {
	j, _ := begin(t, "sleep 1000")
	if err := j.process.Kill(); err != nil {
		t.Fatal(err)
	}
	end(t, j, 137)
}

// A signal that the terminal has sent to both, and that is seen after the
// program's end, does not end the wait.
func TestKernelSignalAtTheEnd(t *testing.T) {
	for range 20 {
		j, _ := begin(t, "trap 'exit 9' INT; while :; do sleep 0.01; done")
		for range 3 {
			j.Signal(unix.SIGINT)
			if err := unix.Kill(os.Getpid(), unix.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		res, err := j.Wait(func() {})
		if err != nil || res.Status != 9 && res.Status != 130 {
			t.Fatalf("%+v, %v", res, err)
		}
		j.Close()
	}
}
