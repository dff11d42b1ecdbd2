//go:build kernel

package torture

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestTortureBlows kills each command at each call that changes something, and
// lets each call that can fail do so.
func TestTortureBlows(t *testing.T) {
	w := newWorld(t)
	for _, s := range scenarios() {
		killing, failing := wanted("kill/"+s.name, s), wanted("fault/"+s.name, s)
		if !killing && !failing {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			defer w.razeIfFailed(t)
			sp := w.walk(t, s)
			if points := killsOf(sp.all); killing {
				r := &report{Part: "kill", Scenario: s.name, Points: len(points)}
				for i, p := range choose("kill/"+s.name, points) {
					w.kill(t, r, s, sp, p, i)
				}
				w.written(t, r)
			}
			if points := faultsOf(sp.all); failing {
				r := &report{Part: "fault", Scenario: s.name, Points: len(points)}
				for i, f := range choose("fault/"+s.name, points) {
					w.fault(t, r, s, sp, f, i)
				}
				w.written(t, r)
			}
		})
	}
}

// written ends a report, when all is known that belongs into it.
func (w *world) written(t *testing.T, r *report) {
	t.Helper()
	w.checking.Wait()
	if dealt := r.Kills + r.Faults; r.Missed > 2+dealt/10 {
		t.Errorf("%s of %s: %d of %d blows met nothing", r.Part, r.Scenario, r.Missed, dealt)
	}
	r.write(t)
}

// walk lets the command run undisturbed, and notes its points.
func (w *world) walk(t *testing.T, s scenario) span {
	t.Helper()
	w.set(t, s)
	sp := span{before: viewOf(t), last: s.last(), several: slices.Equal(s.argv, deleteTwo)}
	if problems := w.takeDown(t); len(problems) > 0 {
		t.Fatal(problems)
	}
	w.set(t, s) // no blow finds what looking may have left
	sp.argv = w.argv(s.argv)
	o := strace(t, nil, sp.argv)
	if o.code != 0 {
		t.Fatalf("%v: exit status %d: %s", s.argv, o.code, o.stderr)
	}
	sp.after = viewOf(t)
	sp.all = calls(o.trace)
	w.judge(t, &report{}, "kill/"+s.name, "its end, undisturbed", sp, 0, nil)
	return sp
}

// kill kills the command as it is about to make the call.
func (w *world) kill(t *testing.T, r *report, s scenario, sp span, p point, next int) {
	t.Helper()
	name := "kill/" + s.name + "/" + p.String()
	met := p.near(func(at point) bool {
		w.set(t, s)
		o := inject(t, at, "signal=SIGKILL", w.argv(s.argv))
		var problems []string
		if took := untilRunning(t); took > 5*time.Second {
			problems = append(problems, fmt.Sprintf("a device was suspended for %v", took))
		} else {
			r.suspended(took)
		}
		w.judge(t, r, name, lastCall(o.trace, p), sp, next, problems)
		if o.code != -1 {
			return false
		}
		r.Kills++
		all := calls(o.trace)
		return len(all) > 0 && p.like(all[len(all)-1])
	})
	r.count(t, name, met)
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
