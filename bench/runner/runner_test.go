package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"thinmount/bench/sample"
)

// Each candidate comes first in some round, and none is left out of any.
func TestTurns(t *testing.T) {
	all := []string{"a", "b", "c"}
	for round, want := range []string{"abc", "bca", "cab", "abc"} {
		if got := strings.Join(turns(all, round), ""); got != want {
			t.Errorf("round %d: %s, want %s", round, got, want)
		}
	}
	if !slices.Equal(all, []string{"a", "b", "c"}) {
		t.Errorf("the candidates were changed: %v", all)
	}
}

func TestSpawn(t *testing.T) {
	got, err := spawn(sh("sleep 0.05"))
	if err != nil || got.wall < 50*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := spawn(sh("echo why >&2; exit 3")); err == nil || !strings.Contains(err.Error(),
		"why") {
		t.Errorf("of a command that fails: %v", err)
	}
	if _, err := spawn(command{"there is no such program"}); err == nil {
		t.Error("no error")
	}
}

// A candidate that fails is left out from then on; the run has failed.
func TestCandidate(t *testing.T) {
	b := &bench{broken: map[string]bool{}}
	ran := 0
	for range 2 {
		b.candidate("a", func() { ran++; check(errors.New("it failed")) })
		b.candidate("b", func() { ran++ })
	}
	if ran != 3 || !b.failed {
		t.Errorf("%d done, failed: %v", ran, b.failed)
	}
}

// Everything that the others take is in a job, and the same task in each.
func TestJobs(t *testing.T) {
	b := &bench{dir: t.TempDir(), disks: map[string]string{"ours": "x", "lvm": "x", "btrfs": "x",
		"ext4": "x", "xfs": "x"}}
	var names []string
	for _, j := range b.jobsOf() {
		names = append(names, j.who)
		steps := j.steps(3, filepath.Join(b.dir, "3"))
		tasks := 0
		for _, s := range steps {
			if s[0] == "dd" || s[0] == "cksum" {
				tasks++
			}
		}
		if tasks != 2 {
			t.Errorf("%s: %v", j.who, steps)
		}
	}
	if want := []string{sample.Ours, sample.LVM, sample.Btrfs, sample.Overlay, sample.WorkAlone,
		sample.Reflink}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

func TestFill(t *testing.T) {
	dir := t.TempDir()
	(&bench{folders: 3}).fill(dir)
	files, err := filepath.Glob(dir + "/*/*")
	if err != nil || len(files) != 3*treeFiles {
		t.Errorf("%d files: %v", len(files), err)
	}
}

func TestNumbers(t *testing.T) {
	if got := numbers("1,20"); !slices.Equal(got, []int{1, 20}) {
		t.Errorf("%v", got)
	}
}

// A candidate whose disk is not given, or whose helper is not there, is left
// out.
func TestThere(t *testing.T) {
	b := &bench{disks: map[string]string{"ours": "x"}}
	ways := there(b.ours(), b.script(), b.floorC(), b.lvm())
	if len(ways) != 1 || ways[0].name != sample.Ours {
		t.Errorf("%d ways", len(ways))
	}
}
