//go:build kernel

package torture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTortureBlows kills each command at each call that changes something, and
// lets each call that can fail do so.
func TestTortureBlows(t *testing.T) {
	w := newWorld(t)
	kills, faults := &report{Part: "kill"}, &report{Part: "fault"}
	defer kills.write(t)
	defer faults.write(t)
	for _, s := range scenarios() {
		killing, failing := wanted("kill/"+s.name, s), wanted("fault/"+s.name, s)
		if !killing && !failing {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			defer w.razeIfFailed(t)
			sp := w.walk(t, s)
			if killing {
				for i, p := range choose("kill/"+s.name, killsOf(sp.all)) {
					w.kill(t, kills, s, sp, p, i)
				}
			}
			if failing {
				for i, f := range choose("fault/"+s.name, faultsOf(sp.all)) {
					w.fault(t, faults, s, sp, f, i)
				}
			}
		})
	}
}

// walk lets the command run undisturbed, and notes its points.
func (w *world) walk(t *testing.T, s scenario) span {
	t.Helper()
	w.set(t, s)
	sp := span{before: viewOf(t)}
	o := strace(t, nil, w.argv(s.argv))
	if o.code != 0 {
		t.Fatalf("%v: exit status %d: %s", s.argv, o.code, o.stderr)
	}
	sp.after = viewOf(t)
	sp.all = calls(o.trace)
	if problems := w.aftermath(t, sp, 0); len(problems) > 0 {
		t.Errorf("undisturbed: %s", strings.Join(problems, "\n\t"))
		w.raze(t)
	}
	return sp
}

// kill kills the command as it is about to make the call.
func (w *world) kill(t *testing.T, r *report, s scenario, sp span, p point, next int) {
	t.Helper()
	name := "kill/" + s.name + "/" + p.String()
	w.set(t, s)
	o := strace(t, []string{"-e", "trace=" + p.call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", p.call, p.n)}, w.argv(s.argv))
	if o.code != -1 {
		r.Missed++ // a wait took fewer turns this time
	}
	r.Kills++
	var problems []string
	if took := untilRunning(t); took > 5*time.Second {
		problems = append(problems, fmt.Sprintf("a device was suspended for %v", took))
	} else {
		r.suspended(took)
	}
	problems = append(problems, w.aftermath(t, sp, next)...)
	if len(problems) == 0 {
		return
	}
	r.fail(t, name, lastCall(o.trace, p), problems)
	w.raze(t)
}

// untilRunning waits until no device is suspended.
func untilRunning(t *testing.T) time.Duration {
	start := time.Now()
	for suspended(t) && time.Since(start) < 10*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(start)
}

// lastCall is the call that was hit.
func lastCall(trace string, p point) string {
	all := calls(trace)
	if len(all) == 0 {
		return p.text
	}
	return all[len(all)-1].text
}

// killsOf lists the calls that change something.
func killsOf(all []point) []point {
	return slices.DeleteFunc(slices.Clone(all), func(p point) bool { return !p.changes() })
}
