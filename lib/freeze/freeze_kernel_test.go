//go:build kernel

package freeze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

const (
	name = "t-freeze"
	uuid = "TEST-freeze"
	// in the environment of a child: what it is to do inside the action
	childEnv = "FREEZE_TEST_CHILD"
)

// TestMain is a watcher, a child that suspends and then meets its fate, or the
// test.
func TestMain(m *testing.M) {
	switch {
	case IsWatcher(os.Args):
		os.Exit(Watch(os.Args))
	case os.Getenv(childEnv) != "":
		os.Exit(child(os.Getenv(childEnv)))
	}
	os.Exit(m.Run())
}

// child suspends the device and says so; inside the action it sleeps for long.
func child(string) int {
	c, err := dm.Open()
	if err != nil {
		return 1
	}
	err = Suspended(context.Background(), c, dm.ByUUID(uuid), time.Second, func() error {
		fmt.Println("suspended")
		time.Sleep(time.Minute)
		return nil
	})
	fmt.Println("came back:", err)
	return 0
}

func device(t *testing.T) *dm.Control {
	t.Helper()
	c, err := dm.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Activate(context.Background(), name, uuid, []dm.Target{{Length: 2048, Type: "zero"}}, dm.ActivateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Resume(dm.ByUUID(uuid))
		if err := c.Deactivate(context.Background(), dm.ByUUID(uuid)); err != nil {
			t.Error(err)
		}
		c.Close()
		noWatcher(t)
	})
	return c
}

// state is what dmsetup says.
func state(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("dmsetup", "info", "-c", "--noheadings", "-o", "suspended", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// noWatcher wants that none is left, at the latest in a moment.
func noWatcher(t *testing.T) {
	t.Helper()
	for range 100 {
		if exec.Command("pgrep", "-f", "^"+WatcherArg).Run() != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("a watcher is left")
}

func watcherPID(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("pgrep", "-f", "^"+WatcherArg).Output()
	var pid int
	if _, scanErr := fmt.Sscan(string(out), &pid); err != nil || scanErr != nil {
		t.Fatalf("no watcher: %v %v", err, scanErr)
	}
	return pid
}

func TestKernelSuspendedAroundTheAction(t *testing.T) {
	c := device(t)
	inside := ""
	err := Suspended(context.Background(), c, dm.ByUUID(uuid), 5*time.Second, func() error {
		inside = state(t)
		return nil
	})
	if err != nil || inside != "Suspended" || state(t) != "Active" {
		t.Errorf("%v; inside %q, after %q", err, inside, state(t))
	}
}

func TestKernelErrorOfTheActionResumes(t *testing.T) {
	c := device(t)
	err := Suspended(context.Background(), c, dm.ByUUID(uuid), 5*time.Second, func() error { return unix.EIO })
	if !errors.Is(err, unix.EIO) || state(t) != "Active" {
		t.Errorf("%v; %s", err, state(t))
	}
}

func TestKernelCancelledBefore(t *testing.T) {
	c := device(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	called := false
	err := Suspended(ctx, c, dm.ByUUID(uuid), time.Second, func() error { called = true; return nil })
	if !errors.Is(err, context.Canceled) || called || state(t) != "Active" {
		t.Errorf("%v; called %v; %s", err, called, state(t))
	}
}

func TestKernelNoSuchDevice(t *testing.T) {
	c := device(t)
	err := Suspended(context.Background(), c, dm.ByUUID("TEST-nobody"), time.Second, func() error { return nil })
	if !errors.Is(err, dm.ErrNotExist) {
		t.Error(err)
	}
}

// fate starts a child, waits until it is inside the action, sends it a signal,
// and wants the device to run again.
func fate(t *testing.T, sig unix.Signal) {
	device(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"=sleep")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	if n, _ := out.Read(buf); string(buf[:n]) != "suspended\n" {
		t.Fatalf("child says %q", buf[:n])
	}
	cmd.Process.Signal(sig)
	for range 200 {
		if state(t) == "Active" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := state(t); got != "Active" {
		t.Errorf("device is %s", got)
	}
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(interface{ Signal() unix.Signal }); !ok || status.Signal() != unix.SIGKILL {
		t.Errorf("child ended with %v, want killed", err)
	}
}

func TestKernelKilledInside(t *testing.T)  { fate(t, unix.SIGKILL) }
func TestKernelStoppedInside(t *testing.T) { fate(t, unix.SIGSTOP) }

// A process that takes too long by itself is killed, too: it may hang.
func TestKernelTooLongInside(t *testing.T) { fate(t, unix.SIGCONT) }

// Without its watcher, the process itself resumes.
func TestKernelWatcherKilledInside(t *testing.T) {
	c := device(t)
	err := Suspended(context.Background(), c, dm.ByUUID(uuid), 5*time.Second, func() error {
		return unix.Kill(watcherPID(t), unix.SIGKILL)
	})
	if err != nil || state(t) != "Active" {
		t.Errorf("%v; %s", err, state(t))
	}
}
