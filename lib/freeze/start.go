package freeze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"thinmount/lib/dm"
)

// watcher is the program's end of the second process. One goroutine uses it.
type watcher struct {
	process *os.Process
	pipe    *os.File // to it
	answers *os.File // from it
	above   []*os.File
	loose   []*os.File // of above, those that cannot be frozen
	frozen  bool       // it was told to freeze those above
	left    bool       // it is still freezing, and is not waited for
	stuck   bool       // the device could not be resumed
}

// startWatcher starts the watcher and waits until it says that it is ready. It
// takes some milliseconds, in which nothing is suspended. A watcher that does
// not answer is killed.
func startWatcher(ctx context.Context, dev dm.DevNo, r Request) (*watcher, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	answers, answersTheirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	argv := []string{
		watcherArg, dev.String(), r.Limit.String(), strconv.Itoa(os.Getpid()),
		strconv.Itoa(int(r.Udev)), strconv.Itoa(len(r.Above)),
	}
	p, err := startApart(argv, append([]*os.File{theirs, answersTheirs, nil}, r.Above...))
	// With our copy of their end open, a read would not see that the watcher
	// has died.
	answersTheirs.Close()
	if err != nil {
		return nil, errors.Join(err, ours.Close(), answers.Close())
	}
	w := &watcher{process: p, pipe: ours, answers: answers, above: r.Above}
	if _, err := w.await(ctx, "r"); err != nil {
		p.Kill()
		return nil, errors.Join(err, w.end())
	}
	return w, nil
}

// startApart starts this program once more, in a session of its own and, where
// that is possible, outside of our cgroup. /proc/self/exe leads to the program
// that runs here, even if a package update has put another in its place. The
// session keeps a ctrl-C, and the end of a terminal, from the watcher.
// clone3(2) puts it into the cgroup before it runs (CLONE_INTO_CGROUP, Linux
// 5.7). Where the kernel or a sandbox refuses that, it stays in our cgroup. The
// environment is empty, so that nothing in it changes how the watcher works.
func startApart(argv []string, files []*os.File) (*os.Process, error) {
	if !entered.Load() {
		return nil, ErrNoEntry
	}
	attr := &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	}
	if group := openCgroup(); group != nil {
		defer group.Close()
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(group.Fd())
		if p, err := os.StartProcess("/proc/self/exe", argv, attr); err == nil {
			return p, nil
		}
		attr.Sys.UseCgroupFD = false
	}
	return os.StartProcess("/proc/self/exe", argv, attr)
}

// await waits for one of the bytes in want from the watcher. Instead of it the
// watcher may write why it cannot go on, and end.
func (w *watcher) await(ctx context.Context, want string) (byte, error) {
	stop := context.AfterFunc(ctx, func() { w.answers.SetReadDeadline(time.Now()) })
	defer stop()
	var b [1]byte
	if _, err := io.ReadFull(w.answers, b[:]); err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, errors.New("ended before it was ready")
	}
	if strings.IndexByte(want, b[0]) >= 0 {
		return b[0], nil
	}
	said, _ := io.ReadAll(io.LimitReader(w.answers, 1000))
	return 0, w.refusal(string(said))
}

// refusal makes an error of what the watcher has written: a reason in words, or
// the number of a filesystem above that could not be frozen, and the errno.
func (w *watcher) refusal(said string) error {
	var i, errno int
	if n, _ := fmt.Sscanf(said, "%d %d", &i, &errno); n < 2 || i < 0 || i >= len(w.above) {
		return errors.New(said)
	}
	return &AboveError{Path: w.above[i].Name(), Err: syscall.Errno(errno)}
}

// freeze makes the watcher freeze the filesystems above. That writes out what
// is dirty in them, and may take long. When ctx ends, the watcher is not waited
// for: it goes on, and thaws them afterwards.
func (w *watcher) freeze(ctx context.Context) error {
	if len(w.above) == 0 {
		return nil
	}
	w.frozen = true
	if err := w.say('f'); err != nil {
		return err
	}
	for _, f := range w.above {
		b, err := w.await(ctx, "fn")
		if err != nil {
			w.left = ctx.Err() != nil
			return err
		}
		if b == 'n' {
			w.loose = append(w.loose, f)
		}
	}
	return nil
}

// resumes reports, without waiting, whether the watcher has begun to resume the
// device by itself.
func (w *watcher) resumes() bool {
	conn, err := w.answers.SyscallConn()
	if err != nil {
		return true
	}
	// A deadline of await that has passed would make the read fail.
	w.answers.SetReadDeadline(time.Time{})
	n, b := 0, make([]byte, 1)
	err = conn.Read(func(fd uintptr) bool {
		n, _ = syscall.Read(int(fd), b) // the pipe does not block
		return true
	})
	return err != nil || n > 0
}

// say writes one byte to the watcher. If the watcher is dead, the error is
// EPIPE: then nothing may be suspended.
func (w *watcher) say(b byte) error {
	_, err := w.pipe.Write([]byte{b})
	return err
}

// dismissal is how long a watcher may take to thaw and end after "d".
const dismissal = 2 * time.Second

// end sends "d" and waits for the watcher's end. A watcher that is stopped
// (SIGSTOP) reads nothing: it is killed, and what it has frozen is thawed here.
// If the device could not be resumed, the watcher gets no "d", so that it tries
// too.
func (w *watcher) end() error {
	defer w.answers.Close()
	if w.left {
		w.pipe.Close()
		return w.process.Release()
	}
	if w.stuck {
		w.pipe.Close()
		_, err := w.process.Wait()
		return err
	}
	w.say('d')
	if !w.frozen {
		w.process.Kill() // fails only if it has ended
	}
	late := time.AfterFunc(dismissal, func() { w.process.Kill() })
	defer late.Stop()
	w.pipe.Close()
	state, err := w.process.Wait()
	if w.frozen && (err != nil || !state.Success()) {
		err = errors.Join(err, Thaw(w.above))
	}
	return err
}
