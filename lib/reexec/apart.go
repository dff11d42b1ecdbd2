// Package reexec unmounts and syncs in a second process. Both write out what is
// dirty. On a full pool that may wait for room, for a minute or for good, in a
// sleep that no signal ends (TASK_UNINTERRUPTIBLE). A process with a thread in
// such a sleep cannot even be killed. So the second process sleeps, and this
// one can leave it behind: it holds nothing but the mount or file that it works
// on, and ends when that is done.
//
// # Main must take part
//
// The second process is the same program (/proc/self/exe) started once more,
// with arguments that only RunIfChild knows. So main calls it before anything
// else:
//
//	func main() {
//		apart.RunIfChild()
//		…
//	}
//
// A program without that call would run main again in the second process, which
// starts another, and so on. It starts none: Unmount and Sync return
// ErrNoEntry. The same goes for a test binary, whose TestMain makes the call.
package reexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unmountArg and syncArg are argv[0] of the second process: what ps(1) shows.
const (
	unmountArg = "thin-unmount"
	syncArg    = "thin-sync"
)

// ErrNoEntry says that this program cannot be its own second process, because
// its main has not called RunIfChild. Started once more, it would do its own
// work again. Nothing was started.
var ErrNoEntry = errors.New(
	"program has no entry for its second process: its main must begin with apart.RunIfChild")

// entered is whether main has called RunIfChild and is not the second process.
var entered atomic.Bool

// RunIfChild does the work of the second process and exits, if this is it. In
// every other process it returns at once, and Unmount and Sync may be used from
// then on. Main calls it first: before it reads flags, opens files or starts
// goroutines.
func RunIfChild() {
	if isChild(os.Args) {
		os.Exit(run(os.Args))
	}
	entered.Store(true)
}

// isChild reports whether a process with these arguments is the second one.
func isChild(args []string) bool {
	return len(args) == 3 && args[0] == unmountArg || len(args) == 1 && args[0] == syncArg
}

// run does the work of the second process and returns the exit code. args is
// os.Args: target and flags of umount2(2), or nothing for a sync of descriptor
// 3. The errno, 0 for success, is written to stdout.
func run(args []string) int {
	var err error
	if args[0] == syncArg {
		err = syncFile(syncFD)
	} else {
		flags, e := strconv.Atoi(args[2])
		if e != nil {
			return 1
		}
		err = unix.Unmount(args[1], flags)
	}
	var errno unix.Errno
	if err != nil && !errors.As(err, &errno) {
		return 1
	}
	fmt.Println(int(errno))
	return 0
}

// syncFile writes out what is dirty on a file's filesystem, or on a block
// device. The descriptor may be one of O_PATH, so that the first process need
// not ask a filesystem for anything that hangs.
func syncFile(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK {
		return unix.Fsync(fd)
	}
	const folder = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	if dir, err := unix.Openat(fd, ".", folder, 0); err == nil {
		defer unix.Close(dir)
		fd = dir
	}
	return unix.Syncfs(fd)
}

// syncFD is the descriptor that the second process syncs.
const syncFD = 3

// Unmount is umount2(2) in the second process. When ctx ends first, the error
// is that of ctx: the mount is detached then, and its last writes still wait. A
// target below /proc/self is that of this process. An error of umount2(2) is a
// unix.Errno. Without RunIfChild in main the error is ErrNoEntry.
func Unmount(ctx context.Context, target string, flags int) error {
	if path, ok := strings.CutPrefix(target, "/proc/self/"); ok {
		// The pid in the namespace of that /proc, which may not be ours.
		self, err := os.Readlink("/proc/self")
		if err != nil {
			return err
		}
		target = "/proc/" + self + "/" + path
	}
	argv := []string{unmountArg, target, strconv.Itoa(flags)}
	return wait(ctx, argv, nil, func() error { return nil })
}

// Sync is syncfs(2) on an open file's filesystem (of a folder, O_PATH is
// enough), or fsync(2) on a block device, in the second process. look is called
// every 200 ms. When ctx ends or look returns an error, that is returned, and
// the second process has the file open until all is written. An error of the
// sync itself is a bare unix.Errno, so that it can be told from those. Without
// RunIfChild in main the error is ErrNoEntry.
func Sync(ctx context.Context, f *os.File, look func() error) error {
	return wait(ctx, []string{syncArg}, []*os.File{f}, look)
}

// lookEvery is how often wait looks at ctx and calls look.
const lookEvery = 200 * time.Millisecond

// wait starts the second process and waits for its errno.
func wait(ctx context.Context, argv []string, files []*os.File, look func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !entered.Load() {
		return ErrNoEntry
	}
	result, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer result.Close()
	p, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Dir: "/", Env: []string{}, Sys: &syscall.SysProcAttr{Setsid: true},
		Files: append([]*os.File{nil, theirs, nil}, files...),
	})
	theirs.Close()
	if err != nil {
		return err
	}
	var said []byte
	for {
		result.SetReadDeadline(time.Now().Add(lookEvery))
		var more []byte
		more, err = io.ReadAll(result)
		said = append(said, more...)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err = ctx.Err(); err == nil {
			err = look()
		}
		if err != nil && len(said) == 0 {
			p.Release()
			return err
		}
	}
	if _, e := p.Wait(); err == nil {
		err = e
	}
	return outcome(string(said), err)
}

// outcome makes an error of what the second process has written, and of how it
// ended.
func outcome(said string, err error) error {
	n, parseErr := strconv.Atoi(strings.TrimSpace(said))
	switch {
	case err != nil:
		return err
	case parseErr != nil:
		return fmt.Errorf("second process: ended with %q", said)
	case n != 0:
		return unix.Errno(n)
	}
	return nil
}
