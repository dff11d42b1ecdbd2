//go:build kernel

package mount

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// trap makes dir a mount on demand, whose daemon never answers, and returns
// where the daemon is asked. A process that triggers it waits until the test's
// end.
func trap(t *testing.T, dir string) (asked *os.File) {
	t.Helper()
	// The daemon's process group passes through: it must not be ours.
	daemon := exec.Command("sleep", "1000")
	daemon.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	do(t, daemon.Start())
	asked, kernel, err := os.Pipe()
	do(t, err)
	options := fmt.Sprintf("fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", kernel.Fd(),
		daemon.Process.Pid)
	do(t, unix.Mount("trap", dir, "autofs", 0, options))
	t.Cleanup(func() {
		kernel.Close()
		asked.Close() // who waits, or asks from now on, is told that nobody answers
		unix.Unmount(dir, unix.MNT_DETACH)
		daemon.Process.Kill()
		daemon.Wait()
	})
	return asked
}

// Neither a mount on a mount on demand nor the unmount triggers it, as with
// mount(8) and umount(8): it may be the daemon itself that waits for us.
func TestKernelMountTriggersNothing(t *testing.T) {
	dir := t.TempDir()
	asked := trap(t, dir)
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			if got, err := OpenDir(dir); err != nil || got != dir {
				return fmt.Errorf("%s: %w", got, err)
			}
			if _, err := mountAt(t.Context(), Request{"x", dir, "tmpfs", Options{}}); err != nil {
				return err
			}
			o, err := ParseOptions("remount,noexec")
			if err != nil {
				return err
			}
			if err := Remount(dir, topID(t, dir), o); err != nil {
				return err
			}
			return Unmount(dir, UnmountOptions{NoFollow: true})
		}()
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("waits for the daemon")
	}
	do(t, asked.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	if n, err := asked.Read(make([]byte, 4096)); err == nil {
		t.Errorf("the daemon was asked: %d bytes", n)
	}
}
