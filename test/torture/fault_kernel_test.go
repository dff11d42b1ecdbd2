//go:build kernel

package torture

import (
	"fmt"
	"strings"
	"testing"
)

// faults are the errors that a call is made to return; "" is for all others.
var faults = map[string][]string{
	"":          {"EIO", "ENOMEM"},
	"ioctl":     {"EBUSY", "ENOMEM", "EINTR"},
	"openat":    {"EMFILE", "EIO"},
	"write":     {"ENOSPC", "EIO"},
	"pwrite64":  {"ENOSPC", "EIO"},
	"fsync":     {"EIO", "ENOSPC"},
	"renameat":  {"ENOSPC", "EIO"},
	"mkdirat":   {"ENOSPC", "EIO"},
	"symlinkat": {"ENOSPC", "EIO"},
	"unlinkat":  {"EIO", "EBUSY"},
	"umount2":   {"EBUSY", "ENOMEM"},
	"flock":     {"EINTR", "ENOLCK"},
	"semget":    {"ENOSPC"},
	"semop":     {"EINTR"},
	"pread64":   {"EIO"},
	"clone":     {"ENOMEM"},
	"clone3":    {"ENOMEM"},
}

// reading are calls that change nothing and can fail all the same.
var reading = words("pread64 read getdents64 fstat statfs readlinkat ioctl openat")

// TestTortureFault lets each call of each command fail, once.
func TestTortureFault(t *testing.T) {
	w := newWorld(t)
	r := &report{Part: "fault"}
	defer r.write(t)
	for _, s := range scenarios() {
		if !wanted("fault/" + s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			defer w.razeIfFailed(t)
			sp := w.walk(t, s)
			for i, f := range faultsOf(t, "fault/"+s.name, sp.all) {
				w.fault(t, r, s, sp, f, i)
			}
		})
	}
}

// fault is a point with an error.
type fault struct {
	point
	errno string
}

// faultsOf lists what can fail, from the program's own first step on: what the Go
// runtime does before is not ours.
func faultsOf(t *testing.T, name string, all []point) []fault {
	var some []fault
	begun := false
	i := 0
	for _, p := range all {
		begun = begun || p.call == "openat" && strings.Contains(p.text, "/etc/") || strings.Contains(p.text, "device-mapper") || strings.Contains(p.text, "/dev/mapper") || strings.Contains(p.text, stateDir)
		if !begun || p.call == "exit_group" || !p.changes() && !reading[p.call] {
			continue
		}
		errnos := faults[p.call]
		if errnos == nil {
			errnos = faults[""]
		}
		for _, errno := range errnos {
			f := fault{p, errno}
			if i++; chosen(t, name, f.String()+":"+errno, i) {
				some = append(some, f)
			}
		}
	}
	return some
}

// fault lets the call fail and the command end as it likes: with an error, and
// nothing done; or as if nothing had happened.
func (w *world) fault(t *testing.T, r *report, s scenario, sp span, f fault, next int) {
	t.Helper()
	name := fmt.Sprintf("fault/%s/%s:%s", s.name, f.point, f.errno)
	w.set(t, s)
	o := strace(t, []string{"-e", "trace=" + f.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, f.errno, f.n)}, w.argv(s.argv))
	r.Faults++
	if !strings.Contains(o.trace, "(INJECTED)") {
		r.Missed++
	}
	var problems []string
	switch {
	case o.code == -1 || strings.Contains(o.stderr, "goroutine "):
		problems = append(problems, "crashed: "+short(o.stderr))
	case o.code != 0 && strings.TrimSpace(o.stderr) == "":
		problems = append(problems, fmt.Sprintf("exit status %d without a word", o.code))
	}
	sp.worked = o.code == 0
	problems = append(problems, w.aftermath(t, sp, next)...)
	if len(problems) == 0 {
		return
	}
	r.fail(t, name, injected(o.trace, f), append(problems, fmt.Sprintf("it had said, with exit status %d: %s", o.code, short(o.stderr))))
	w.raze(t)
}

// short is the beginning of what a command said.
func short(s string) string {
	if s = strings.TrimSpace(s); len(s) > 600 {
		s = s[:600] + "…"
	}
	return s
}

// injected is the call that failed.
func injected(trace string, f fault) string {
	for _, p := range calls(trace) {
		if strings.Contains(p.text, "(INJECTED)") {
			return p.text
		}
	}
	return f.text
}
