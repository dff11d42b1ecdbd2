//go:build kernel

package torture

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// point is a system call of a command's first thread: the nth of its name.
type point struct {
	call string
	n    int
	text string // as strace shows it
	slow bool   // is met with all calls shown, as in the walk
}

func (p point) String() string { return fmt.Sprintf("%s:%d", p.call, p.n) }

// outcome is how a command ended.
type outcome struct {
	code   int // -1: by a signal
	stdout string
	stderr string
	trace  string // what strace wrote
}

// limit is longer than any command of ours waits.
const limit = 3 * time.Minute

// run runs a command to its end.
func run(t *testing.T, argv ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	// a watcher may outlive the command; a busy machine reads what it said late
	cmd.WaitDelay = 10 * time.Second
	cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v: still running after %v: %s", argv, limit, err.String())
	}
	return outcome{code: cmd.ProcessState.ExitCode(), stdout: out.String(), stderr: err.String()}
}

// must runs a command that has to work.
func must(t *testing.T, argv ...string) string {
	t.Helper()
	o := run(t, argv...)
	if o.code != 0 {
		t.Fatalf("%v: exit status %d: %s%s", argv, o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

// works runs a command that has to.
func works(t *testing.T, argv ...string) []string {
	if o := run(t, argv...); o.code != 0 {
		return []string{fmt.Sprintf("%v: exit status %d: %s%s", argv, o.code, o.stdout, o.stderr)}
	}
	return nil
}

// slowly is what a command under strace takes less than half the time with: on
// one processor no stop has to wake another; the Go runtime takes the thread
// from no goroutine that only seems busy; and it finds a P again after a long
// call. (With --seccomp-bpf, strace 6.1 injects nothing.)
var slowly = []string{"taskset", "-c", "0", "env", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=8"}

// strace runs a command under strace, which follows its first thread only: all
// that changes the system happens there (helper.Start).
func strace(t *testing.T, options []string, argv []string) outcome {
	t.Helper()
	file := filepath.Join(t.TempDir(), "strace")
	o := run(t,
		slices.Concat(slowly, []string{"strace", "-qq", "-s", "120", "-o", file}, options, argv)...)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o.trace = string(b)
	return o
}

// inject lets strace do something (error=EIO, signal=SIGKILL) to the command at
// the point p.
func inject(t *testing.T, p point, what string, argv []string) outcome {
	t.Helper()
	options := []string{"-e", fmt.Sprintf("inject=%s:%s:when=%d", p.call, what, p.n)}
	if !p.slow {
		options = append(options, "-e", "trace="+p.call)
	}
	return strace(t, options, argv)
}

var callLine = regexp.MustCompile(`^([a-z0-9_]+)\(`)

// calls lists the system calls in a trace, in their order.
func calls(trace string) []point {
	var all []point
	seen := map[string]int{}
	lines := bufio.NewScanner(strings.NewReader(trace))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := callLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue // a signal, an exit
		}
		seen[m[1]]++
		all = append(all, point{call: m[1], n: seen[m[1]], text: lines.Text()})
	}
	return all
}

// harmless are the calls that change nothing outside of the process. A call
// that is not among them is a point, known or not.
var harmless = words(`
	access arch_prctl brk clock_gettime clock_nanosleep close dup3 epoll_create1 epoll_ctl
	epoll_pwait eventfd2 execve faccessat faccessat2 fcntl fstat fstatfs futex getcwd getdents64
	getegid geteuid getgid getpid getppid getrandom getrlimit gettid getuid ioprio_get listmount
	lseek lstat madvise mincore mlock mlockall mmap mprotect munlockall munmap nanosleep newfstatat
	pidfd_open pidfd_send_signal pipe2 poll ppoll prctl pread64 preadv prlimit64 read readlink
	readlinkat restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity
	sched_yield set_robust_list set_tid_address sigaltstack stat statfs statmount statx sysinfo
	tgkill timer_create timer_delete timer_settime uname wait4 waitid`)

// looking are the ioctls that only look.
var looking = regexp.MustCompile(
	`^ioctl\(\d+(<[^>]*>)?, (DM_(VERSION|LIST_DEVICES|DEV_STATUS|TABLE_STATUS|TABLE_DEPS|` +
		`LIST_VERSIONS|GET_TARGET_VERSION|DEV_ARM_POLL)|BLK\w*GET\w*|BLKSSZGET|BLKPBSZGET|` +
		`LOOP_GET_STATUS\w*|LOOP_CTL_GET_FREE|TCGETS\w*|TIOCGWINSZ|FS_IOC_GET\w*)\b`)

// opening is an openat that makes nothing.
var opening = regexp.MustCompile(`^open(at2?)?\(`)

// changes tells whether the system may be another one after the call.
func (p point) changes() bool {
	switch {
	case harmless[p.call] || p.runtimes():
		return false
	case p.call == "ioctl":
		return !looking.MatchString(p.text)
	case opening.MatchString(p.text):
		return strings.Contains(p.text, "O_CREAT") || strings.Contains(p.text, "O_TRUNC") ||
			strings.Contains(p.text, "O_TMPFILE")
	case p.call == "clone" || p.call == "clone3":
		return !strings.Contains(p.text, "CLONE_THREAD") // the Go runtime's
	}
	return true
}

// request is what an ioctl asks for.
var request = regexp.MustCompile(`^ioctl\(\d+(?:<[^>]*>)?, (\w+)`)

// like tells whether another call is the same as far as its number of turns
// goes: it changes something just as well, and an ioctl asks for the same.
func (p point) like(o point) bool {
	asks := func(p point) string {
		if m := request.FindStringSubmatch(p.text); m != nil {
			return m[1]
		}
		return ""
	}
	return p.call == o.call && p.changes() == o.changes() && asks(p) == asks(o)
}

// near deals a blow at the point, and then at those around it until one has met
// what was meant: where a wait took more or fewer turns than when the command
// was undisturbed, another call has the point's number. Some calls are made
// only while something takes long: they are looked for at the walk's own pace.
func (p point) near(deal func(at point) (met bool)) bool {
	for _, slow := range []bool{false, true} {
		for _, off := range around {
			if at := (point{p.call, p.n + off, p.text, slow}); at.n > 0 && deal(at) {
				return true
			}
		}
	}
	return false
}

// around is where a call is looked for: mostly it comes sooner than in the
// walk, since strace shows less and so holds up less.
var around = []int{0, -1, 1, -2, 2, -3, 3, -4, -5, -6}

// runtimes tells a write by which the Go runtime wakes its own poller.
func (p point) runtimes() bool {
	return p.call == "write" && strings.Contains(p.text, `, "\1\0\0\0\0\0\0\0", 8)`)
}

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}
