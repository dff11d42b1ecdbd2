//go:build kernel

package torture

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// wanted tells whether a scenario is to be tried: without a word from outside,
// those of the short form.
func wanted(name string, s scenario) bool {
	only := os.Getenv("THIN_TORTURE_ONLY")
	if only == "" {
		return share() > 0 || s.short
	}
	return only == name || strings.HasPrefix(only, name+"/") || strings.HasPrefix(name, only)
}

// choose picks the blows to deal: the one that is wanted; one in so many; or, in
// the short form, a few from here and there.
func choose[T fmt.Stringer](scenario string, all []T) []T {
	only := os.Getenv("THIN_TORTURE_ONLY")
	var some []T
	for i, blow := range all {
		switch {
		case strings.HasPrefix(only, scenario+"/"):
			if only == scenario+"/"+blow.String() {
				some = append(some, blow)
			}
		case share() > 0:
			if i%share() == len(scenario)%share() {
				some = append(some, blow)
			}
		case i%(len(all)/brief+1) == len(all)/(2*brief):
			some = append(some, blow)
		}
	}
	return some
}

// brief is about how many blows of a kind a scenario gets in the short form.
const brief = 1

// share says of how many blows one is dealt: 1 is all, 0 the short form.
func share() int {
	n, _ := strconv.Atoi(os.Getenv("THIN_TORTURE_SHARE"))
	return max(n, 0)
}
