// Package apart unmounts in a second process. Unmounting writes out what is
// dirty, and on a pool that is full that may wait for room, for a minute or for
// ever, in a sleep that no signal ends. A process with a thread in such a sleep
// does not even die. So a process of its own sleeps, which can be left behind:
// it needs nothing, holds nothing but the unmount, and ends with it.
package apart

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Arg is argv[0] of the second process: what ps(1) shows.
const Arg = "thin-unmount"

// IsChild reports whether this process is to be the second one. Main asks first.
func IsChild(args []string) bool { return len(args) == 3 && args[0] == Arg }

// Run is all that the second process does; it returns the exit code. Args is
// os.Args: target and flags of umount2(2). The errno, 0 for success, is written
// to stdout.
func Run(args []string) int {
	flags, err := strconv.Atoi(args[2])
	if err != nil {
		return 1
	}
	errno := unix.Errno(0)
	if err := unix.Unmount(args[1], flags); err != nil {
		errno = err.(unix.Errno)
	}
	fmt.Println(int(errno))
	return 0
}

// Unmount is umount2(2), waited for until ctx ends; then the error is ctx's, the
// mount is detached, and its last writes are still waiting. A target in
// /proc/self is ours, not the second process's. The caller's main must call
// IsChild and Run.
func Unmount(ctx context.Context, target string, flags int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if path, ok := strings.CutPrefix(target, "/proc/self/"); ok {
		self, err := os.Readlink("/proc/self") // which need not be of our pid namespace
		if err != nil {
			return err
		}
		target = "/proc/" + self + "/" + path
	}
	result, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer result.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{Arg, target, strconv.Itoa(flags)}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{nil, theirs, nil}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	theirs.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { result.SetReadDeadline(time.Now()) })
	defer stop()
	said, err := io.ReadAll(result)
	if ctx.Err() != nil && len(said) == 0 {
		p.Release()
		return ctx.Err()
	}
	if _, e := p.Wait(); err == nil {
		err = e
	}
	return outcome(string(said), err)
}

// outcome makes an error of what the second process has said.
func outcome(said string, err error) error {
	n, parseErr := strconv.Atoi(strings.TrimSpace(said))
	switch {
	case err != nil:
		return err
	case parseErr != nil:
		return fmt.Errorf("%s: ended with %q", Arg, said)
	case n != 0:
		return unix.Errno(n)
	}
	return nil
}
