//go:build kernel

package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// crowdWorker does one command after the other.
type crowdWorker struct {
	*crowd
	n   int
	rng *rand.Rand
}

func newCrowdWorker(c *crowd, n int) *crowdWorker {
	return &crowdWorker{crowd: c, n: n, rng: rand.New(rand.NewPCG(64, uint64(n)))}
}

// step runs a command on a volume, chosen at random. On every second volume
// some commands are killed: on the others the count has to be exact.
func (w *crowdWorker) step(t *testing.T) {
	i := w.rng.IntN(crowdSlots)
	s := &w.slots[i]
	what, argv := w.choose(s)
	var kill time.Duration
	if i/2%2 == 0 && w.rng.IntN(4) == 0 {
		kill = time.Duration(1 + w.rng.IntN(int(2*time.Second)))
	}
	w.came(w.n, s, what, argv, runAndKill(t, kill, argv))
}

func (w *crowdWorker) choose(s *slot) (what string, argv []string) {
	switch x := w.rng.IntN(100); {
	case x < 34:
		return "mount", []string{"mount.thin", s.name, s.dir, "-o", "rw"}
	case x < 72:
		return "umount", []string{"umount.thin", s.dir}
	case x < 84:
		pool, _, _ := strings.Cut(s.name, "/")
		origin := pool + "/base"
		if other := &w.slots[w.rng.IntN(crowdSlots)]; strings.HasPrefix(other.name, pool+"/") && other != s {
			origin = other.name // which may be mounted
		}
		return "snapshot", []string{"thin-snap", "snapshot", origin, s.name}
	case x < 92:
		return "delete", []string{"thin-snap", "delete", "-y", s.name}
	}
	return "list", []string{"thin-snap", "list", "--json"}
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
	cmd.WaitDelay = 10 * time.Second // a watcher may outlive the command; a busy machine reads what it said late
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

// compare holds what there is against the count.
func (c *crowd) compare(t *testing.T) (problems []string) {
	t.Helper()
	now := volumesNow(t)
	for i := range c.slots {
		s := &c.slots[i]
		v, there := now[s.name]
		exists := 0
		if there {
			exists = 1
		}
		if least, most := s.between("snapshot", "delete"); exists < least || exists > most {
			problems = append(problems, fmt.Sprintf("%s: there are %d of it, want %d to %d: %v, killed %v", s.name, exists, least, most, s.done, s.killed))
		}
		if least, most := s.between("mount", "umount"); v.References < least || v.References > most {
			problems = append(problems, fmt.Sprintf("%s: %d references, want %d to %d: %v, killed %v", s.name, v.References, least, most, s.done, s.killed))
		}
		if (v.References > 0) != slices.Contains(mounts(t), s.dir+" /dev/mapper/thin-"+strings.Replace(s.name, "/", "@", 1)) {
			problems = append(problems, fmt.Sprintf("%s: %d references, but the mounts are %v", s.name, v.References, mounts(t)))
		}
	}
	return problems
}

// goHome unmounts and deletes all, by commands, and looks at the pools.
func (c *crowd) goHome(t *testing.T) (problems []string) {
	t.Helper()
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
			problems = append(problems, compareIDs(t, pool)...)
		}
		problems = append(problems, works(t, "thin-snap", "pool", "delete", "-r", "-y", pool)...)
	}
	return problems
}

// left is what was not there before, but for empty folders.
func (c *crowd) left(t *testing.T, before state) []string {
	t.Helper()
	return leftSince(t, before, func(line string) bool { return strings.HasPrefix(line, "file ") && strings.HasSuffix(line, "/") })
}
