package main

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// feature is a row of the table, as a person reads it.
type feature struct{ area, what string }

// results hold for each feature and suite whether it works; what is not there
// was not run.
type results map[feature]map[string]bool

// load reads all files of a folder.
func load(dir string) (results, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	passed := map[testCase]bool{}
	for _, e := range entries {
		text, err := fs.ReadFile(os.DirFS(dir), e.Name())
		if err != nil {
			return nil, err
		}
		if err := parse(string(text), passed); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", dir, e.Name(), err)
		}
	}
	return gather(passed), nil
}

// testCase is what a line of results is about.
type testCase struct{ suite, pkg, name string }

// parse takes in the lines "pass|fail SUITE PACKAGE TEST".
func parse(text string, passed map[testCase]bool) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != "pass" && f[0] != "fail" {
			return fmt.Errorf("line %d: %q is no result", n, line)
		}
		passed[testCase{f[1], f[2], f[3]}] = f[0] == "pass"
	}
	return nil
}

// gather sorts test cases by the features they are about.
func gather(passed map[testCase]bool) results {
	all := results{}
	for c, ok := range passed {
		f, is := featureOf(c.name)
		if !is {
			continue
		}
		if all[f] == nil {
			all[f] = map[string]bool{}
		}
		before, seen := all[f][c.suite]
		all[f][c.suite] = ok && (before || !seen)
	}
	return all
}

// featureOf takes a test's name apart; go test has put underscores for blanks,
// and the test a bar for each slash of a title, since a slash makes a subtest.
func featureOf(name string) (feature, bool) {
	part := strings.SplitN(strings.ReplaceAll(name, "_", " "), "/", 3)
	if len(part) < 3 ||
		!strings.HasPrefix(name, "TestBoot") && !strings.HasPrefix(name, "TestSystemd") {
		return feature{}, false
	}
	return feature{part[1], strings.ReplaceAll(part[2], "|", "/")}, true
}
