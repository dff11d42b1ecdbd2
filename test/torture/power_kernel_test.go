//go:build kernel

package torture

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cutsARound is how often the power of one workload goes.
const cutsARound = 25

// TestTorturePower lets the power go at random moments of a workload, and
// boots.
func TestTorturePower(t *testing.T) {
	if !partWanted("power") {
		return
	}
	left, err := strconv.Atoi(cmp.Or(os.Getenv("THIN_TORTURE_CUTS"), "2"))
	if err != nil {
		t.Fatal(err)
	}
	only := namedOf("power")
	for seed := firstSeed(t, "power"); left > 0; seed++ {
		n := min(left, cutsARound)
		left -= n
		if len(only) > 1 {
			left = 0
		}
		p := &power{report: &report{Part: "power"}, seed: seed, dir: t.TempDir()}
		func() {
			defer p.write(t)
			p.round(t, n, only)
		}()
		if t.Failed() {
			return // and the log stays on the disk
		}
	}
}

// power is a workload's log, and the disk at a cut.
type power struct {
	*report
	seed  uint64
	dir   string
	clean state
	disk  string // the image to boot from
	loop  string
	promises
}

// round records a workload and cuts it n times, or at the entry that is wanted.
// The log on the disk serves again if it is the one that is wanted.
func (p *power) round(t *testing.T, n int, only []string) {
	t.Helper()
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	p.clean = stateOf(t)
	if len(only) < 3 || !p.recorded() {
		(&load{t: t, seed: p.seed, dir: p.dir}).record(8 + 2*n)
	}
	if t.Failed() {
		return
	}
	log, err := readLog(logDisk)
	if err != nil {
		t.Fatal(err)
	}
	defer log.file.Close()
	p.disk = filepath.Join(p.dir, "disk")
	image, err := os.Create(filepath.Join(p.dir, "image"))
	if err == nil {
		err = image.Truncate(powerSize)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	p.cuts(t, &replay{writeLog: log, image: image}, log.cutsOf(t, p.seed, n, only))
	os.Remove(p.disk)
	os.Remove(image.Name())
	os.RemoveAll(runDir)
}

// recorded tells whether the log of this workload is on the disk.
func (p *power) recorded() bool {
	log, err := readLog(logDisk)
	if err != nil {
		return false
	}
	defer log.file.Close() // with its page cache, which a new log would pass by
	return log.seed() == fmt.Sprint(p.seed)
}

// cutsOf chooses the entries to cut at, each second one just behind a mark:
// nothing that the command had left to the next flush is on the disk then. The
// others are, of a few moments each, that with the most that can get lost.
func (l *writeLog) cutsOf(t *testing.T, seed uint64, n int, only []string) (at []int) {
	t.Helper()
	var marks []int
	first := len(l.entries) // the pool's making
	for i, e := range l.entries {
		if e.mark == "try=t" {
			first = i
		}
		if what, _, _ := strings.Cut(e.mark, "="); i >= first &&
			(what == "made" || what == "gone" || what == "file") {
			marks = append(marks, i)
		}
	}
	if len(marks) == 0 {
		t.Fatalf("power/%d: no promise in a log of %d entries", seed, len(l.entries))
	}
	if len(only) > 2 {
		i, err := strconv.Atoi(only[2])
		if err != nil {
			t.Fatal(err)
		}
		return []int{min(i, len(l.entries))}
	}
	rng := rand.New(rand.NewPCG(seed, 99))
	for i := range n {
		if i%2 == 0 {
			at = append(at, marks[rng.IntN(len(marks))]+1)
		} else {
			most := 0
			for range 8 {
				if x := first + 1 + rng.IntN(len(l.entries)-first); most == 0 ||
					x-l.flushed(x) > most-l.flushed(most) {
					most = x
				}
			}
			at = append(at, most)
		}
	}
	slices.Sort(at)
	return at
}

// cuts boots from each cut.
func (p *power) cuts(t *testing.T, r *replay, all []int) {
	t.Helper()
	for _, n := range all {
		p.promises = promises{}
		for _, e := range r.entries[:n] {
			if err := p.keep(e.mark); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		lost, err := r.cut(n, rand.New(rand.NewPCG(p.seed, uint64(n))), p.disk)
		if err != nil {
			t.Fatal(err)
		}
		problems := p.boot(t)
		p.Cuts++
		p.Lost += lost
		t.Logf("power/%d/%d: %d entries of %d, %d since the last flush, %d lost, %d names: %v",
			p.seed, n, n, len(r.entries), n-r.flushed(n), lost, len(p.promises),
			time.Since(start).Round(time.Millisecond))
		if len(problems) > 0 {
			problems = append(problems,
				"the log it was found in is needed: test/torture/run --keep DIR …, then the same "+
					"with --only; without it the workload runs anew, and meets others at "+
					"other times")
			p.fail(t, fmt.Sprintf("power/%d/%d", p.seed, n), r.lastMark(n), problems)
			p.raze(t)
		}
	}
}

func (l *writeLog) lastMark(n int) string {
	for i := n - 1; i >= 0; i-- {
		if l.entries[i].mark != "" {
			return l.entries[i].mark
		}
	}
	return ""
}
