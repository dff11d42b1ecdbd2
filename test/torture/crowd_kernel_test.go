//go:build kernel

package torture

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	crowdWorkers = 64
	crowdFew     = 24 // in the short form, which a slow machine has to get through without a command's deadline passing
	crowdSlots   = 16 // volumes that everybody works on, half of them in each pool
)

// TestTortureCrowd lets 64 processes at a time, or a few, mount, unmount, snapshot, list
// and delete the same 16 volumes, kills some of them, and counts.
func TestTortureCrowd(t *testing.T) {
	if !partWanted("crowd") {
		return
	}
	r := &report{Part: "crowd"}
	defer r.write(t)
	workers, long := crowdFew, os.Getenv("THIN_TORTURE_CROWD")
	if long != "" {
		workers = crowdWorkers
	}
	lasts, err := time.ParseDuration(cmp.Or(long, "20s"))
	if err != nil {
		t.Fatal(err)
	}
	before := stateOf(t)
	c := newCrowd(t, r, workers)
	c.fill(t)
	until := time.Now().Add(lasts)
	var all sync.WaitGroup
	for n := range workers {
		w := newCrowdWorker(c, n)
		all.Go(func() {
			for w.step(t); time.Now().Before(until); {
				w.step(t)
			}
		})
	}
	all.Wait()
	c.summary(t)
	problems := c.compare(t)
	problems = append(problems, c.goHome(t)...)
	if len(problems) == 0 {
		problems = append(problems, c.left(t, before)...)
	}
	if problems = append(c.problems, problems...); len(problems) > 0 {
		r.fail(t, "crowd", "the end", problems)
		clearAway(t, c.dirs()...)
	}
}

// crowd is the model: what the commands that came back have said.
type crowd struct {
	*report
	dir   string
	slots [crowdSlots]slot

	mu       sync.Mutex
	ops      []int          // by worker
	refused  map[string]int // why a command that may fail did
	problems []string
}

// slot is a volume that comes and goes: how many commands of a kind came back
// with 0, and how many were killed and may have done it or not.
type slot struct {
	name, dir    string
	done, killed map[string]int // by "mount", "umount", "snapshot", "delete"
}

// between are the least and the most that ups and downs come to.
func (s *slot) between(up, down string) (least, most int) {
	n := s.done[up] - s.done[down]
	return n - s.killed[down], n + s.killed[up]
}

func newCrowd(t *testing.T, r *report, workers int) *crowd {
	c := &crowd{report: r, dir: t.TempDir(), ops: make([]int, workers), refused: map[string]int{}}
	for i := range c.slots {
		s := &c.slots[i]
		*s = slot{name: fmt.Sprintf("p%d/v%d", i%2, i), dir: filepath.Join(c.dir, fmt.Sprint(i)), done: map[string]int{}, killed: map[string]int{}}
		if err := os.Mkdir(s.dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *crowd) dirs() []string {
	all := []string{stateDir}
	for i := range c.slots {
		all = append(all, c.slots[i].dir)
	}
	slices.Reverse(all)
	return all
}

// fill makes the pools, on a tmpfs, with a volume in each that stays.
func (c *crowd) fill(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, "mount", "-t", "tmpfs", "-o", "mode=0700", "crowd", stateDir)
	t.Cleanup(func() {
		run(t, "umount", stateDir)
		os.RemoveAll(runDir)
	})
	for _, pool := range []string{"p0", "p1"} {
		must(t, "thin-snap", "pool", "create", "--size", "96M", "--metadata-size", "2M", pool)
		must(t, "thin-snap", "create", "--size", "16M", "--fs", "ext4", pool+"/base")
	}
	for i := range c.slots {
		s := &c.slots[i]
		pool, _, _ := strings.Cut(s.name, "/")
		must(t, "thin-snap", "snapshot", pool+"/base", s.name)
		s.done["snapshot"]++
	}
}

// came takes in how a command ended.
func (c *crowd) came(worker int, s *slot, what string, argv []string, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops[worker]++
	why := reasonOf(o.stderr)
	switch {
	case o.code == 0:
		s.done[what]++
	case o.code == -1:
		s.killed[what]++
		c.Kills++
	case mayRefuse.MatchString(why):
		c.refused[what+": "+why]++
	default:
		c.problems = append(c.problems, fmt.Sprintf("worker %d: %v: exit status %d: %s", worker, argv, o.code, o.stderr))
	}
}

// mayRefuse is what a command may say when others were there before it.
var mayRefuse = regexp.MustCompile(`: (not mounted|no such volume|exists already|mounted on )`)

var volatile = regexp.MustCompile(`\b[pv]?\d+\b|` + regexp.QuoteMeta(stateDir))

// reasonOf is the first line of an error without names.
func reasonOf(stderr string) string {
	line, _, _ := strings.Cut(stderr, "\n")
	return volatile.ReplaceAllString(line, "N")
}

// summary counts, and complains of those who got nothing done.
func (c *crowd) summary(t *testing.T) {
	t.Helper()
	ops := c.ops
	for _, n := range ops {
		c.Operations += n
	}
	c.Least, c.Most = slices.Min(ops), slices.Max(ops)
	if c.Least*20 < c.Most {
		c.problems = append(c.problems, fmt.Sprintf("operations by worker: %v: some have starved", ops))
	}
	did := map[string]int{}
	for i := range c.slots {
		for what, n := range c.slots[i].done {
			did[what] += n
		}
	}
	t.Logf("%d operations, %d to %d a worker, %d killed; done: %v", c.Operations, c.Least, c.Most, c.Kills, did)
	var why []string
	for what, n := range c.refused {
		why = append(why, fmt.Sprintf("%4d %s", n, what))
	}
	sort.Strings(why)
	t.Logf("refused:\n\t%s", strings.Join(why, "\n\t"))
}
