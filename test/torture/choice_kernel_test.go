//go:build kernel

package torture

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// only lists the blows, or families of them, that are wanted; none: those that
// share allows.
func only() []string {
	return strings.FieldsFunc(os.Getenv("THIN_TORTURE_ONLY"), func(r rune) bool { return r == ',' })
}

// done tells whether an earlier run has already dealt the blows, or done the
// part.
func done(name string) bool {
	return slices.Contains(strings.Split(os.Getenv("THIN_TORTURE_DONE"), ","), name)
}

// wanted tells whether a scenario is to be tried: without a word from outside,
// those of the short form.
func wanted(name string, s scenario) bool {
	if done(name) {
		return false
	}
	for _, some := range only() {
		if some == name || strings.HasPrefix(some, name+"/") || strings.HasPrefix(name, some) {
			return true
		}
	}
	return len(only()) == 0 && (share("kill") > 0 || s.short)
}

// choose picks the blows to deal: those that are wanted; one in so many; or, in
// the short form, a few from here and there.
func choose[T fmt.Stringer](scenario string, all []T) []T {
	kind, _, _ := strings.Cut(scenario, "/")
	var some, named []T
	byName := false
	for i, blow := range all {
		for _, one := range only() {
			byName = byName || strings.HasPrefix(one, scenario+"/")
			if one == scenario+"/"+blow.String() {
				named = append(named, blow)
			}
		}
		switch n := share(kind); {
		case n > 0:
			if i%n == len(scenario)%n {
				some = append(some, blow)
			}
		case i%(len(all)/brief+1) == len(all)/(2*brief):
			some = append(some, blow)
		}
	}
	if byName {
		return named
	}
	return some
}

// namedOf is the first thing that is wanted of a part (power, crowd), word by
// word; nil if the part is not named.
func namedOf(part string) []string {
	for _, some := range only() {
		if words := strings.Split(some, "/"); words[0] == part {
			return words
		}
	}
	return nil
}

// partWanted tells whether a part is to be tried.
func partWanted(part string) bool {
	return !done(part) && (len(only()) == 0 || namedOf(part) != nil)
}

// firstSeed is where a part begins to count its seeds: the one that is named.
func firstSeed(t *testing.T, part string) uint64 {
	t.Helper()
	said := cmp.Or(os.Getenv("THIN_TORTURE_SEED"), "1")
	if words := namedOf(part); len(words) > 1 {
		said = words[1]
	}
	seed, err := strconv.ParseUint(said, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// brief is about how many blows of a kind a scenario gets in the short form.
const brief = 1

// share says of how many blows of a kind (kill, fault) one is dealt: 1 is all,
// 0 the short form.
func share(kind string) int {
	said := os.Getenv("THIN_TORTURE_SHARE")
	if faults := os.Getenv("THIN_TORTURE_FAULTS"); kind == "fault" && faults != "" {
		said = faults
	}
	n, _ := strconv.Atoi(said)
	return max(n, 0)
}
