package check

import (
	"errors"
	"slices"
)

// ErrUnsteady is of a pool that no two looks can read the same of.
var ErrUnsteady = errors.New("some of what is read to check it can be read at times and cannot at others")

// mostLooks is how many looks are taken to find two that could read the same.
const mostLooks = 4

// InCommon is what two looks in a row have found, which could read the same: what
// one of them was blind for it would seem to say is sound.
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
			return slices.DeleteFunc(found, func(d Finding) bool { return !Contains(first, d) }), nil
		}
		before, first = now, found
	}
	return nil, ErrUnsteady
}

// Contains tells whether a finding is among others, as it is to be repaired.
func Contains(all []Finding, d Finding) bool {
	return slices.ContainsFunc(all, func(o Finding) bool { return o.plan() == d.plan() })
}

// Marked puts the findings that are left behind those that were agreed to, of
// which those that are not left are done.
func Marked(agreed, left []Finding) []Finding {
	all := slices.Clone(agreed)
	for i := range all {
		all[i].Done = all[i].Repair != "" && !Contains(left, all[i])
	}
	for _, d := range left {
		if !Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}
