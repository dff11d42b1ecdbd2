package main

import (
	"slices"
	"strings"
)

// results returns a line "pass|fail SUITE PACKAGE TEST" for each test case, in
// the order of the names. A case that began and did not end has failed.
func (t *tally) results(suite string) string {
	headings := t.headings()
	verdicts := map[testID]string{}
	for id, bad := range t.failed {
		if !headings[id] {
			verdicts[id] = "pass"
		}
		if bad && !headings[id] {
			verdicts[id] = "fail"
		}
	}
	for id := range t.open {
		verdicts[id] = "fail"
	}
	var lines []string
	for id, verdict := range verdicts {
		lines = append(lines, strings.Join([]string{verdict, suite, id.pkg, id.test}, " ")+"\n")
	}
	slices.SortFunc(lines,
		func(a, b string) int { return strings.Compare(a[len("pass"):], b[len("pass"):]) })
	return strings.Join(lines, "")
}
