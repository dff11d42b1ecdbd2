//go:build kernel

package torture

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// span is where a command begins and ends when nobody disturbs it.
type span struct {
	before, after view
	all           []point
	argv          []string // the command
	worked        bool     // the disturbed command said that all is well
	last          []string // a command that is to run at the end, or nil
	several       bool     // it removes one volume after the other
}

// nexts are the commands that may come after a blow: these, which work in any
// state of the pool t, and after them the disturbed one itself.
var nexts = [][]string{
	{"thin-snap", "recover", "t"},
	{"thin-snap", "create", "--size", "16M", "t/next"},
	{"thin-snap", "snapshot", "t/keep", "t/next"},
	{"mount.thin", "t/keep", "DIR2", "-o", "rw"},
	{"thin-snap", "pool", "activate", "t"},
	{"thin-snap", "delete", "-y", "t/keep"},
}

// judge looks at the aftermath of a blow, and reports what is wrong. The pool's
// metadata are checked while the next blow is dealt.
func (w *world) judge(
	t *testing.T, r *report, name, call string, sp span, next int, problems []string,
) {
	t.Helper()
	problems = append(problems, w.aftermath(t, sp, next)...)
	var checks []func() []string
	w.checking.Wait()
	for _, pool := range []string{"t", "u"} {
		if _, err := os.Stat(filepath.Join(stateDir, pool, "pool.json")); err == nil {
			checks = append(checks, idsOf(t, pool, nil))
		}
	}
	if len(problems) > 0 {
		r.fail(t, name, call, problems)
		w.raze(t)
	}
	w.checking.Go(func() {
		for _, check := range checks {
			if wrong := check(); len(wrong) > 0 {
				r.fail(t, name, call, wrong)
			}
		}
	})
}

// aftermath looks whether a blow has done harm: it lets the command numbered
// next run, takes all down by commands, and returns what is wrong.
func (w *world) aftermath(t *testing.T, sp span, next int) (problems []string) {
	t.Helper()
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf(format, args...))
	}
	v := viewOf(t)
	switch before, after := slices.Equal(v, sp.before), slices.Equal(v, sp.after); {
	case !before && !after && !(sp.several && v.isWithin(sp.before) && sp.after.isWithin(v)):
		complain("%v is neither the state before, %v, nor after, %v", v, sp.before, sp.after)
	case sp.worked && !after:
		complain("it said that all is well, but %v is not the state after, %v", v, sp.after)
	}
	next %= len(nexts) + 1
	argv, again := sp.argv, next == len(nexts)
	if !again {
		argv = w.argv(nexts[next])
	}
	o := run(t, argv...)
	switch done := slices.Equal(v, sp.after); {
	case o.code == 0, again && done: // what is done need not be possible twice
	case !v.hasPool("t") && strings.Contains(o.stderr, "no such "):
	default:
		complain("%v: exit status %d: %s", argv, o.code, o.stderr)
	}
	if sp.last != nil {
		problems = append(problems, works(t, sp.last...)...)
	}
	if again { // the pool may be gone
		v = viewOf(t)
	}
	problems = append(problems, w.verify(t, v)...)
	problems = append(problems, w.takeDown(t)...)
	left := w.settled(t, func(s state) []string { return slices.DeleteFunc(s, w.known) })
	if len(left) > 0 {
		complain("left: %s", strings.Join(left, "; "))
	}
	return problems
}

// known tells whether a line of the state belongs to the golden pool, or to
// what a scenario or the next command has made. A lock belongs to what has a
// record.
func (w *world) known(line string) bool {
	if of, ok := strings.CutPrefix(line, "file "+runDir+"/locks/"); ok && of != "" {
		// a queue before the lock, and the lock of a first mount
		of = strings.TrimSuffix(strings.TrimSuffix(of, "@turn"), "@mount")
		pool, volume, _ := strings.Cut(of, "@")
		record := "pool.json"
		if volume != "" {
			record = "volumes/" + volume + ".json"
		}
		_, err := os.Stat(filepath.Join(stateDir, pool, record))
		return err == nil
	}
	if slices.Contains(w.clean, line) {
		return true
	}
	for _, volume := range []string{"new", "next", "orphan-77"} {
		if line == "file "+stateDir+"/t/volumes/"+volume+".json" {
			return true
		}
	}
	if strings.HasPrefix(line, "file "+stateDir+"/u/") {
		_, err := os.Stat(stateDir + "/u/pool.json")
		return err == nil && slices.Contains(
			[]string{"pool.json", "journal", ".pool.json.spare", "data", "metadata", "volumes",
				"u"},
			filepath.Base(line))
	}
	return false
}

// verify reads the file in base, which every scenario leaves alone. Unless base
// is mounted it goes to a path of its own: mounting clears away what an earlier
// mount left of the same path, which all other commands have to do as well.
func (w *world) verify(t *testing.T, v view) (problems []string) {
	t.Helper()
	if !v.hasPool("t") {
		return nil
	}
	dir, access := w.dirs["DIR3"], "rw"
	if at := w.dirs["DIR1"]; slices.ContainsFunc(mounts(t),
		func(m string) bool { return strings.HasPrefix(m, at+" ") }) {
		dir = at
		var st unix.Statfs_t
		if unix.Statfs(at, &st) == nil && st.Flags&unix.ST_RDONLY != 0 {
			access = "ro" // else refused, since it is mounted read-only
		}
	}
	if o := run(t, "mount.thin", "t/base", dir, "-o", access); o.code != 0 {
		return []string{"mount of base: " + o.stderr}
	}
	b, err := os.ReadFile(filepath.Join(dir, "stuff"))
	if err != nil || !bytes.Equal(b, w.stuff) {
		problems = append(problems,
			fmt.Sprintf("the file in base: %d bytes, want %d: %v", len(b), len(w.stuff), err))
	}
	return problems
}

// takeDown unmounts and deactivates all, by commands.
func (w *world) takeDown(t *testing.T) (problems []string) {
	t.Helper()
	do := func(argv ...string) bool {
		o := run(t, argv...)
		if o.code != 0 {
			problems = append(problems,
				fmt.Sprintf("%v: exit status %d: %s", argv, o.code, o.stderr))
		}
		return o.code == 0
	}
	for n := 0; len(mounts(t)) > 0; n++ {
		dir, _, _ := strings.Cut(mounts(t)[0], " ")
		if !do("umount.thin", dir) || n == 8 {
			return append(problems, "does not come to the last umount of "+dir)
		}
	}
	for _, d := range devices(t) {
		name, _, _ := strings.Cut(d, " ")
		if pool, volume, ok := strings.Cut(strings.TrimPrefix(name, "thin-"), "@"); ok &&
			!strings.HasPrefix(volume, "@") {
			do("thin-snap", "deactivate", pool+"/"+volume)
		}
	}
	do("thin-snap", "pool", "deactivate", "--all")
	return problems
}
