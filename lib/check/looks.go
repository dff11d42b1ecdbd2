package check

import (
	"errors"
	"slices"
)

// ErrUnsteady is the error of InCommon if no two looks in a row could read the
// same.
var ErrUnsteady = errors.New(
	"some of its files and devices could be read in one look, and not in the next")

// mostLooks is how many looks InCommon takes at most.
const mostLooks = 4

// InCommon looks at a pool several times, and returns what two looks in a row
// have both found. Both looks must have been able to read the same: what a look
// cannot read would seem to be sound. look gathers the facts. again is false
// for the first look, and true for those after it. If the first look finds
// nothing, InCommon returns nothing.
func InCommon(look func(again bool) (*Facts, error)) ([]Finding, error) {
	before, err := look(false)
	if err != nil {
		return nil, err
	}
	first := before.Findings()
	if len(first) == 0 {
		return nil, nil
	}
	for range mostLooks - 1 {
		now, err := look(true)
		if err != nil {
			return nil, err
		}
		found := now.Findings()
		if slices.Equal(before.unread(), now.unread()) {
			return Shared(found, first), nil
		}
		before, first = now, found
	}
	return nil, ErrUnsteady
}

// Shared returns those of found that others has as well: with the same kind,
// object and repair.
func Shared(found, others []Finding) (both []Finding) {
	for _, d := range found {
		if slices.ContainsFunc(others, d.sameAs) {
			both = append(both, d)
		}
	}
	return both
}

// Marked returns the findings that were agreed to, and after them the other
// findings that are left. A finding with a repair that was agreed to and is not
// left has Done set.
func Marked(agreed, left []Finding) []Finding {
	all := slices.Clone(agreed)
	for i := range all {
		all[i].Done = all[i].Repair != nil && !slices.ContainsFunc(left, all[i].sameAs)
	}
	for _, d := range left {
		if !slices.ContainsFunc(all, d.sameAs) {
			all = append(all, d)
		}
	}
	return all
}
