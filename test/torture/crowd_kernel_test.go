//go:build kernel

package torture

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
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
	// in the short form, which a slow machine has to get through without a
	// command's deadline passing
	crowdFew   = 24
	crowdSlots = 16 // volumes that everybody works on, half of them in each pool
)

// aRound is how long the crowd is at work before everybody waits, and what
// there is is compared with the count.
const aRound = 40 * time.Second

// TestTortureCrowd lets 64 processes at a time, or a few, mount, unmount,
// snapshot, list and delete the same 16 volumes, and hold their devices, kills
// some of them, and counts.
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
	for seed := firstSeed(t, "crowd"); c.Rounds == 0 ||
		len(c.problems) == 0 && time.Now().Before(until); seed++ {
		c.seed = seed
		c.round(t, plans(workers).Example(int(seed)), min(time.Until(until), aRound))
	}
	c.summary(t)
	problems := c.goHome(t)
	if len(problems) == 0 {
		problems = append(problems, c.left(t, before)...)
	}
	if problems = append(c.problems, problems...); len(problems) > 0 {
		r.fail(t, fmt.Sprintf("crowd/%d", c.seed), fmt.Sprintf("the end of round %d", c.Rounds),
			problems)
		clearAway(t, c.dirs()...)
	}
}

// crowd is the model: what the commands that came back have said.
type crowd struct {
	*report
	seed  uint64 // of the last round's plans
	dir   string
	slots [crowdSlots]slot

	sandbox string // a mount namespace beside ours: its link in /proc
	leave   func() // ends it

	mu       sync.Mutex
	ops      []int          // by worker
	did      map[string]int // what was done
	refused  map[string]int // why a command that may fail did
	problems []string
}

// slot is a volume that comes and goes: what there was of it at the beginning
// of a round, how many commands of a kind came back with 0 since, and how many
// were killed and may have done it or not.
type slot struct {
	name, dir          string
	exists, references int
	done, killed       map[string]int // by "mount", "umount", "snapshot", "delete"
}

// between are the least and the most that ups and downs come to, from n on.
func (s *slot) between(n int, up, down string) (least, most int) {
	n += s.done[up] - s.done[down]
	return n - s.killed[down], n + s.killed[up]
}

func newCrowd(t *testing.T, r *report, workers int) *crowd {
	c := &crowd{report: r, dir: t.TempDir(), ops: make([]int, workers), did: map[string]int{},
		refused: map[string]int{}}
	for i := range c.slots {
		s := &c.slots[i]
		*s = slot{name: fmt.Sprintf("p%d/v%d", i%2, i), dir: filepath.Join(c.dir, fmt.Sprint(i)),
			done: map[string]int{}, killed: map[string]int{}}
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
		s.exists = 1
	}
	c.unshare(t)
}

// unshare makes the mount namespace beside ours. It has no copy of a volume's
// mount in it, and gets none.
func (c *crowd) unshare(t *testing.T) {
	t.Helper()
	cmd := exec.Command("unshare", "-m", "sleep", "infinity")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.leave = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(c.leave)
	c.sandbox = fmt.Sprintf("/proc/%d/ns/mnt", cmd.Process.Pid)
	ours, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if there, err := os.Readlink(c.sandbox); err != nil {
			t.Fatal(err)
		} else if there != ours {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// round lets everybody work as planned, and looks what came of it.
func (c *crowd) round(t *testing.T, plans [][]op, lasts time.Duration) {
	t.Helper()
	until := time.Now().Add(lasts)
	var all sync.WaitGroup
	for n, plan := range plans {
		all.Go(func() {
			for i := 0; i == 0 || time.Now().Before(until); i++ {
				c.do(t, n, plan[i%len(plan)])
			}
		})
	}
	all.Wait()
	c.Rounds++
	c.problems = append(c.problems, c.compare(t)...)
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
		c.did[what]++
	case o.code == -1:
		s.killed[what]++
		c.Kills++
	case mayRefuse.MatchString(why):
		c.refused[what+": "+why]++
	default:
		c.problems = append(c.problems,
			fmt.Sprintf("worker %d: %v: exit status %d: %s", worker, argv, o.code, o.stderr))
	}
}

// mayRefuse is what a command may say when others were there before it.
var mayRefuse = regexp.MustCompile(
	`: (not mounted|no such volume|exists already|mounted on |another command is mounting it,|` +
		`/dev/mapper/\S+ is in use: )`)

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
		c.problems = append(c.problems,
			fmt.Sprintf("operations by worker: %v: some have starved", ops))
	}
	t.Logf("%d operations in %d rounds, %d to %d a worker, %d killed; done: %v", c.Operations,
		c.Rounds, c.Least, c.Most, c.Kills, c.did)
	var why []string
	for what, n := range c.refused {
		why = append(why, fmt.Sprintf("%4d %s", n, what))
	}
	sort.Strings(why)
	t.Logf("refused:\n\t%s", strings.Join(why, "\n\t"))
}
