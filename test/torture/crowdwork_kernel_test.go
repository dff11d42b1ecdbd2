//go:build kernel

package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// op is a command on a volume.
type op struct {
	what   string
	slot   int
	origin int           // of a snapshot: the slot, if it is in the same pool, or base
	kill   time.Duration // 0: it comes to its end
}

// plans are a row of commands for each worker; a seed gives the same ones
// again. On every second volume of a pool some are killed: on the others the
// count has to be exact.
func plans(workers int) *rapid.Generator[[][]op] {
	one := rapid.Custom(func(rt *rapid.T) op {
		o := op{
			what:   rapid.SampledFrom(kindsOfWork).Draw(rt, "what"),
			slot:   rapid.IntRange(0, crowdSlots-1).Draw(rt, "volume"),
			origin: rapid.IntRange(0, crowdSlots-1).Draw(rt, "origin"),
		}
		if o.slot/2%2 == 0 && o.what != "enter" && rapid.IntRange(0, 3).Draw(rt, "kill") == 3 {
			o.kill = time.Duration(rapid.IntRange(1, 2000).Draw(rt, "after")) * time.Millisecond
		}
		return o
	})
	return rapid.SliceOfN(rapid.SliceOfN(one, 12, 12), workers, workers)
}

// kindsOfWork has each kind as often as it is wanted, or nearly: rapid draws
// what stands first more often.
var kindsOfWork = strings.Fields(
	"mount umount snapshot umount mount delete mount umount list umount mount copy snapshot " +
		"enter hold")

// do does a command, and takes in how it ended.
func (c *crowd) do(t *testing.T, worker int, o op) {
	s := &c.slots[o.slot]
	pool, _, _ := strings.Cut(s.name, "/")
	var argv []string
	switch o.what {
	case "hold":
		c.came(worker, s, o.what, nil, hold(t, worker, s.name, o.origin))
		return
	case "mount":
		argv = []string{"mount.thin", s.name, s.dir, "-o", "rw"}
	case "umount":
		argv = []string{"umount.thin", s.dir}
	case "snapshot":
		origin := pool + "/base"
		if other := &c.slots[o.origin]; strings.HasPrefix(other.name, pool+"/") && other != s {
			origin = other.name // which may be mounted
		}
		argv = []string{"thin-snap", "snapshot", origin, s.name}
	case "delete":
		argv = []string{"thin-snap", "delete", "-y", s.name}
	// in a mount namespace of its own, where a mount of ours has a copy, which
	// counts nothing
	case "copy":
		argv = []string{"unshare", "-m", "sh", "-c",
			"mount.thin " + s.name + " " + s.dir + " && exec umount.thin " + s.dir}
	case "enter": // in one that lasts: each takes the reference that it has added
		argv = []string{"nsenter", "--mount=" + c.sandbox, "sh", "-c",
			"mount.thin " + s.name + " " + s.dir + " && exec umount.thin " + s.dir}
	case "list":
		argv = []string{"thin-snap", "list", "--json"}
	}
	c.came(worker, s, o.what, argv, runAndKill(t, o.kill, argv))
}

// runAndKill runs a command, and kills it after a while, if that is not 0.
func runAndKill(t *testing.T, after time.Duration, argv []string) outcome {
	if after == 0 {
		return run(t, argv...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), after)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	// a watcher may outlive the command; a busy machine reads what it said late
	cmd.WaitDelay = 10 * time.Second
	cmd.Run()
	if cmd.ProcessState == nil {
		return outcome{code: -1} // not even begun
	}
	return outcome{code: cmd.ProcessState.ExitCode(), stdout: out.String(), stderr: err.String()}
}

// volumeNow is a volume as `thin-snap list` has it.
type volumeNow struct {
	Name       string
	MountedOn  string `json:"mounted_on"`
	References int
}

func volumesNow(t *testing.T) map[string]volumeNow {
	t.Helper()
	var all struct{ Volumes []volumeNow }
	out := must(t, "thin-snap", "list", "--json")
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	now := map[string]volumeNow{}
	for _, v := range all.Volumes {
		now[v.Name] = v
	}
	return now
}

// compare holds what there is against the count, and counts from there on. What
// was killed on its way is finished or undone before: else that would happen in
// the next round.
func (c *crowd) compare(t *testing.T) (problems []string) {
	t.Helper()
	problems = works(t, "thin-snap", "recover", "p0", "p1")
	now := volumesNow(t)
	for i := range c.slots {
		s := &c.slots[i]
		v, there := now[s.name]
		exists := 0
		if there {
			exists = 1
		}
		if least, most := s.between(s.exists, "snapshot", "delete"); exists < least ||
			exists > most {
			problems = append(problems,
				fmt.Sprintf("%s: there are %d of it, want %d to %d: %v, killed %v", s.name, exists,
					least, most, s.done, s.killed))
		}
		if least, most := s.between(s.references, "mount", "umount"); v.References < least ||
			v.References > most {
			problems = append(problems,
				fmt.Sprintf("%s: %d references, want %d to %d: %v, killed %v", s.name, v.References,
					least, most, s.done, s.killed))
		}
		if (v.References > 0) != slices.Contains(mounts(t),
			s.dir+" /dev/mapper/thin-"+strings.Replace(s.name, "/", "@", 1)) {
			problems = append(problems, fmt.Sprintf("%s: %d references, but the mounts are %v",
				s.name, v.References, mounts(t)))
		}
		s.exists, s.references = exists, v.References
		s.done, s.killed = map[string]int{}, map[string]int{}
	}
	return problems
}

// goHome unmounts and deletes all, by commands, and looks at the pools.
func (c *crowd) goHome(t *testing.T) (problems []string) {
	t.Helper()
	c.leave()
	now := volumesNow(t)
	for i := range c.slots {
		s := &c.slots[i]
		for range now[s.name].References {
			problems = append(problems, works(t, "umount.thin", s.dir)...)
		}
		if _, there := now[s.name]; there {
			problems = append(problems, works(t, "thin-snap", "delete", "-y", s.name)...)
		}
	}
	problems = append(problems, works(t, "thin-snap", "pool", "deactivate", "--all")...)
	for _, pool := range []string{"p0", "p1"} {
		if len(problems) == 0 {
			problems = append(problems, compareIDs(t, pool, nil)...)
		}
		problems = append(problems, works(t, "thin-snap", "pool", "delete", "-r", "-y", pool)...)
	}
	return problems
}

// left is what was not there before, but for empty folders.
func (c *crowd) left(t *testing.T, before state) []string {
	t.Helper()
	return leftSince(t, before,
		func(line string) bool {
			return strings.HasPrefix(line, "file ") && strings.HasSuffix(line, "/")
		})
}
