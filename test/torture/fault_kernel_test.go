//go:build kernel

package torture

import (
	"fmt"
	"regexp"
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

// reading are calls that change nothing, but can fail.
var reading = words("pread64 read getdents64 fstat statfs readlinkat ioctl openat")

// fault is a point with an error.
type fault struct {
	point
	errno string
}

// String names the fault within its scenario.
func (f fault) String() string { return f.point.String() + ":" + f.errno }

// faultsOf lists what can fail, from the program's own first step on: what the
// Go runtime does before is not ours.
func faultsOf(all []point) []fault {
	var faulty []fault
	begun, logged := false, false
	for _, p := range all {
		if line := logLine.MatchString(p.text); line && logged {
			continue // one line of the kernel's log is like another, and there are thousands
		} else if line {
			logged = true
		}
		begun = begun || ours.MatchString(p.text)
		if !begun || p.call == "exit_group" || p.runtimes() || !p.changes() && !reading[p.call] {
			continue
		}
		errnos := faults[p.call]
		if errnos == nil {
			errnos = faults[""]
		}
		for _, errno := range errnos {
			faulty = append(faulty, fault{p, errno})
		}
	}
	return faulty
}

// logLine is in a read of /dev/kmsg.
var logLine = regexp.MustCompile(`^read\(\d+, "\d+,\d+,\d+,`)

// ours is in the first thing that a program of ours looks at.
var ours = regexp.MustCompile(`/etc/fstab|device-mapper|/dev/mapper|/var/lib/thin|/run/thin`)

// fault lets the call fail and the command end as it likes: with an error, and
// nothing done; or as if nothing had happened.
func (w *world) fault(t *testing.T, r *report, s scenario, sp span, f fault, next int) {
	t.Helper()
	name := "fault/" + s.name + "/" + f.String()
	met := f.near(func(at point) bool {
		w.set(t, s)
		o := inject(t, at, "error="+f.errno, w.argv(s.argv))
		failed := injected(o.trace)
		hit := failed != nil && f.like(*failed)
		var problems []string
		switch {
		case failed != nil && !hit && (failed.runtimes() ||
			strings.Contains(o.stderr, "runtime: failed to create new OS thread")):
			// The Go runtime's own call, which it cannot do without.
		case o.code == -1 || strings.Contains(o.stderr, "goroutine "):
			problems = append(problems, "crashed: "+short(o.stderr))
		case o.code != 0 && strings.TrimSpace(o.stderr) == "":
			problems = append(problems, fmt.Sprintf("exit status %d without a word", o.code))
		}
		sp.worked = o.code == 0
		call := f.text
		if failed != nil {
			call = failed.text
			r.Faults++
		}
		call = fmt.Sprintf("%s, which made it say, with exit status %d: %s", call, o.code,
			short(o.stderr))
		w.judge(t, r, name, call, sp, next, problems)
		return hit
	})
	r.count(t, name, met)
}

// short is the beginning of what a command said.
func short(s string) string {
	if s = strings.TrimSpace(s); len(s) > 600 {
		s = s[:600] + "…"
	}
	return s
}

// injected is the call that failed, or nil.
func injected(trace string) *point {
	for _, p := range calls(trace) {
		if strings.Contains(p.text, "(INJECTED)") {
			return &p
		}
	}
	return nil
}
