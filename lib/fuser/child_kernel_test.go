//go:build kernel

package fuser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Environment variables that turn this test program into a child, which holds
// the path childPath in the way childMode until its input ends.
const (
	childMode = "HOLDERS_CHILD"
	childPath = "HOLDERS_PATH"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		hold(mode, os.Getenv(childPath))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// must ends the child with a message if err is an error.
func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

var kept *os.File

// hold is the work of a child.
func hold(mode, path string) {
	switch mode {
	case "idle":
	case "cwd":
		must(unix.Chdir(path))
	case "root":
		must(unix.Chroot(path))
	case "open":
		f, err := os.Open(path)
		must(err)
		kept = f
	case "mapped":
		f, err := os.Open(path)
		must(err)
		_, err = unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
		must(err)
		f.Close()
	case "thread": // a thread, not the first, has its own working directory
		elsewhere(func() {
			must(unix.Unshare(unix.CLONE_FS))
			must(unix.Chdir(path))
		})
	case "descriptors": // a thread, not the first, has its own descriptors
		elsewhere(func() {
			must(unix.Unshare(unix.CLONE_FILES))
			_, err := unix.Open(path, unix.O_RDONLY, 0)
			must(err)
		})
	// The child runs in its own mount namespace. It makes the mount above path
	// a slave of ours, or shared with ours, or private.
	case "slave", "shared", "private":
		flag := map[string]uintptr{"slave": unix.MS_SLAVE, "shared": unix.MS_SHARED,
			"private": unix.MS_PRIVATE}[mode]
		must(unix.Mount("", filepath.Dir(path), "", flag, ""))
		must(unix.Chdir(path))
	case "ask": // Of finds one process, of the child's user, and nothing else
		p, err := stat(path)
		must(err)
		found, err := Of(context.Background(), "/proc", Mount{p.id, p.major, p.minor, path})
		must(err)
		if len(found) != 1 || found[0].UID != os.Getuid() {
			must(fmt.Errorf("found %+v", found))
		}
	case "headless": // the first thread has ended
		f, err := os.Open(path)
		must(err)
		kept = f
		ended := make(chan int)
		go leave(ended)
		<-ended
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

// elsewhere runs f in a thread that is not the first. The thread stays.
func elsewhere(f func()) {
	done := make(chan int)
	var try func()
	try = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			go try()
			select {} // this goroutine keeps the first thread occupied
		}
		f()
		close(done)
		select {}
	}
	go try()
	<-done
}

// leave ends the first thread of the process.
func leave(ended chan int) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		close(ended)
		unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	}
	go leave(ended)
	select {}
}

// child starts a process in a mode of hold and waits until it is ready. stop
// ends it.
func child(
	t *testing.T, mode, path string, attr *syscall.SysProcAttr, program ...string,
) (pid int, stop func()) {
	t.Helper()
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childMode+"="+mode, childPath+"="+path)
	cmd.SysProcAttr = attr
	in, err := cmd.StdinPipe()
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
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			in.Close()
			cmd.Wait()
		}
	}
	t.Cleanup(stop)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("child %s: %q, %v", mode, line, err)
	}
	return cmd.Process.Pid, stop
}

// own returns the path of this test program.
func own(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// copied copies this test program to path.
func copied(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(own(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Clean(path)
}
