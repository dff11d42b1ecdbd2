package main

import (
	"regexp"
	"slices"
	"strings"
)

// failureMark begins a line of -to's file that names a failed test case.
const failureMark = "! "

// complaint is a line in which a test says why it fails: that of t.Error, or
// the last of testscript.
var complaint = regexp.MustCompile(`^\s*(\w+\.go:\d+: |FAIL: |panic: )`)

func complains(line string) bool { return complaint.MatchString(line) }

func lastComplaint(output string) (last string) {
	for line := range strings.Lines(output) {
		if complains(line) {
			last = line
		}
	}
	return last
}

// verdict says which test of package pkg ended with a test binary's line, and
// whether it failed.
func verdict(pkg, line string) (id testID, ended, failed bool) {
	_, line, _ = strings.Cut(line, marker)
	word, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
	name, _, _ := strings.Cut(rest, " (")
	return testID{pkg, name}, strings.HasPrefix(word, "--- "), word == "--- FAIL"
}

// say keeps why a test failed.
func (t *tally) say(id testID, why string) {
	if why != "" {
		t.said[id] = strings.TrimSpace(why)
	}
}

// failures returns a line for each test case that failed, in the order of the
// names: what failed is still to be seen where only the end of a long run is
// kept.
func (t *tally) failures() string {
	headings := t.headings()
	var lines []string
	add := func(id testID) {
		line := strings.TrimSpace(id.pkg + " " + id.test)
		if why := t.said[id]; why != "" {
			line += ": " + why
		}
		if len(line) > 300 {
			line = line[:300]
		}
		lines = append(lines, failureMark+line+"\n")
	}
	blamed := map[string]bool{}
	for id, bad := range t.failed {
		if bad && !headings[id] {
			blamed[id.pkg] = true
			add(id)
		}
	}
	for id := range t.open {
		add(id)
	}
	for pkg := range t.broken {
		if !blamed[pkg] {
			add(testID{pkg: pkg})
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
