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

// say keeps why a test failed.
func (t *tally) say(id testID, why string) {
	if why != "" {
		t.said[id] = strings.TrimSpace(why)
	}
}

// complaints returns a line for each failure, in the order of the names: what
// failed is still to be seen where only the end of a long run is kept.
func (t *tally) complaints() string {
	var lines []string
	for _, id := range t.failures() {
		line := strings.TrimSpace(id.pkg + " " + id.test)
		if why := t.said[id]; why != "" {
			line += ": " + why
		}
		lines = append(lines, failureMark+line[:min(len(line), 300)]+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
