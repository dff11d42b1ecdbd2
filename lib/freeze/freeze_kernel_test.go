//go:build kernel

package freeze

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// suspendable makes a device, which at the end must run, with no watcher left.
func suspendable(t *testing.T) *dm.Control {
	t.Helper()
	c, err := dm.Open()
	if err != nil {
		t.Fatal(err)
	}
	target := dm.Target{Length: 8, Type: "zero"}
	if _, err := c.Activate(t.Context(), device, "", []dm.Target{target},
		dm.ActivateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "the device runs", func() bool { return !suspended(t, c) })
		eventually(t, "no watcher is left", func() bool { return len(watchers(t)) == 0 })
		if err := c.Deactivate(context.Background(), dm.ByName(device)); err != nil {
			t.Error(err)
		}
		c.Close()
	})
	return c
}

func suspended(t *testing.T, c *dm.Control) bool {
	t.Helper()
	info, err := c.Info(dm.ByName(device))
	if err != nil {
		t.Fatal(err)
	}
	return info.Suspended()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("never: %s", what)
}

// watchers are the pids of all watchers that are no zombies.
func watchers(t *testing.T) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(f) // gone meanwhile
		if strings.HasPrefix(string(b), watcherArg+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestKernelAction(t *testing.T) {
	c := suspendable(t)
	failure := errors.New("failure")
	for _, want := range []error{nil, failure} {
		saw := false
		_, err := Suspended(t.Context(), c, Request{Device: dm.ByName(device), Limit: time.Minute},
			func() error { saw = suspended(t, c); return want })
		if !saw || !errors.Is(err, want) || suspended(t, c) {
			t.Errorf("suspended in the action %v, err %v, want %v, suspended after %v", saw, err,
				want, suspended(t, c))
		}
	}
}

func TestKernelCancelledBefore(t *testing.T) {
	c := suspendable(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		_, err := Suspended(ctx, c, Request{Device: dm.ByName(device), Limit: time.Minute},
			func() error { t.Error("the action ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

// startChild starts the child with that limit and waits until it is in the
// action, in which it stays until the end of its stdin.
func startChild(t *testing.T, limit string) (cmd *exec.Cmd, stdin io.Closer) {
	t.Helper()
	cmd = exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "FREEZE_CHILD="+limit)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if _, err := out.Read(b); err != nil || string(b[:9]) != "in action" {
		t.Fatalf("child: %q, %v", b, err)
	}
	return cmd, stdin
}

func TestKernelDeathInAction(t *testing.T) {
	for _, signal := range []unix.Signal{unix.SIGKILL, unix.SIGTERM} {
		t.Run(unix.SignalName(signal), func(t *testing.T) {
			c := suspendable(t)
			child, _ := startChild(t, "1m")
			if !suspended(t, c) {
				t.Error("not suspended in the action")
			}
			if err := child.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			eventually(t, "running again", func() bool { return !suspended(t, c) })
			child.Wait()
			if s, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() {
				t.Errorf("child ended with %v", child.ProcessState)
			}
		})
	}
}

// A process that is stopped keeps nobody waiting; when it goes on it knows.
func TestKernelStoppedInAction(t *testing.T) {
	c := suspendable(t)
	child, stdin := startChild(t, "1m")
	if err := child.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "running again", func() bool { return !suspended(t, c) })
	stdin.Close()
	if err := child.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	if code := child.ProcessState.ExitCode(); code != 11 {
		t.Errorf("child ended with %v, want that the device was resumed", child.ProcessState)
	}
}

// An action that takes longer than the limit is left to end; then it is told
// so.
func TestKernelTooLong(t *testing.T) {
	c := suspendable(t)
	child, stdin := startChild(t, "1s")
	eventually(t, "running again", func() bool { return !suspended(t, c) })
	stdin.Close()
	child.Wait()
	if code := child.ProcessState.ExitCode(); code != 10 {
		t.Errorf("child ended with %v, want that it took too long", child.ProcessState)
	}
}

// An action that takes long, within its limit, is well.
func TestKernelTakesItsTime(t *testing.T) {
	c := suspendable(t)
	_, err := Suspended(t.Context(), c, Request{Device: dm.ByName(device), Limit: time.Minute},
		func() error {
			time.Sleep(1500 * time.Millisecond)
			return nil
		})
	if err != nil {
		t.Error(err)
	}
}

// watching starts a watcher of the device, which is told nothing yet.
func watching(t *testing.T, c *dm.Control) *watcher {
	t.Helper()
	info, err := c.Info(dm.ByName(device))
	if err != nil {
		t.Fatal(err)
	}
	w, err := startWatcher(t.Context(), info.Dev, Request{Limit: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A watcher that is not told anything ends, and nothing may be suspended then.
func TestKernelWatcherUntold(t *testing.T) {
	c := suspendable(t)
	w := watching(t, c)
	w.process.Wait() // does not come to an end by itself otherwise
	if err := w.say('s'); !errors.Is(err, unix.EPIPE) {
		t.Errorf("saying that it will be suspended: %v, want EPIPE", err)
	}
	w.pipe.Close()
}

// A dead watcher before "s" is a refusal; a dead or stopped one later harms
// nobody.
func TestKernelWatcherSignalled(t *testing.T) {
	c := suspendable(t)
	w := watching(t, c)
	w.process.Kill()
	// A process that dies closes its files some time after it is out of sight.
	eventually(t, "the pipe breaks", func() bool { return errors.Is(w.say('s'), unix.EPIPE) })
	if err := w.end(); err != nil {
		t.Error(err)
	}
	for _, signal := range []unix.Signal{unix.SIGKILL, unix.SIGSTOP} {
		_, err := Suspended(t.Context(), c, Request{Device: dm.ByName(device), Limit: time.Minute},
			func() error { return unix.Kill(watchers(t)[0], signal) })
		if err != nil || suspended(t, c) {
			t.Errorf("%v: %v", signal, err)
		}
	}
}

// What others have suspended stays so when we die before suspending.
func TestKernelSuspendedByOthers(t *testing.T) {
	c := suspendable(t)
	w := watching(t, c)
	if err := c.Suspend(dm.ByName(device)); err != nil {
		t.Fatal(err)
	}
	w.pipe.Close()
	if _, err := w.process.Wait(); err != nil {
		t.Error(err)
	}
	if !suspended(t, c) {
		t.Error("resumed what it had not suspended")
	}
	if _, err := c.Resume(dm.ByName(device), 0); err != nil {
		t.Fatal(err)
	}
}
