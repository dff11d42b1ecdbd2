//go:build kernel

package torture

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestTortureKill kills each command at each of its points.
func TestTortureKill(t *testing.T) {
	w := newWorld(t)
	r := &report{Part: "kill"}
	defer r.write(t)
	for _, s := range scenarios() {
		if !wanted("kill/" + s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			defer w.razeIfFailed(t)
			sp := w.walk(t, s)
			for i, p := range killsOf(t, "kill/"+s.name, sp.all) {
				w.kill(t, r, s, sp, p, i)
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

// wanted tells whether a scenario is to be tried.
func wanted(name string) bool {
	only := os.Getenv("THIN_TORTURE_ONLY")
	return only == "" || only == name || strings.HasPrefix(only, name+"/") || strings.HasPrefix(name, only)
}

// killsOf lists the calls that change something and are to be tried.
func killsOf(t *testing.T, name string, all []point) []point {
	var some []point
	i := 0
	for _, p := range all {
		if !p.changes() {
			continue
		}
		if i++; chosen(t, name, p.String(), i) {
			some = append(some, p)
		}
	}
	return some
}

// chosen tells whether the ith blow of a scenario is to be dealt: the one that
// is wanted, or one in so many.
func chosen(t *testing.T, scenario, blow string, i int) bool {
	if only := os.Getenv("THIN_TORTURE_ONLY"); strings.HasPrefix(only, scenario+"/") {
		return only == scenario+"/"+blow
	}
	return i%share(t) == len(scenario)%share(t)
}
