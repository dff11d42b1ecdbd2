package main

import "strings"

// tally holds how each test of each package ended.
type tally struct {
	failed map[testID]bool   // of each test that ended: did it fail
	open   map[testID]bool   // begun and not ended
	broken map[string]bool   // packages that failed as a whole
	said   map[testID]string // the last complaint of each test, where it had one

	complaint string // of a test binary, since the last test that ended
}

type testID struct{ pkg, test string }

func newTally() *tally {
	return &tally{failed: map[testID]bool{}, open: map[testID]bool{}, broken: map[string]bool{},
		said: map[testID]string{}}
}

func (t *tally) begin(pkg, test string) { t.open[testID{pkg, test}] = true }

func (t *tally) end(pkg, test string, failed bool) {
	id := testID{pkg, test}
	delete(t.open, id)
	t.failed[id] = t.failed[id] || failed
}

// endPackage says how a package ended, after its tests.
func (t *tally) endPackage(pkg string, failed bool) {
	for id := range t.open {
		if id.pkg == pkg { // the program died in it
			t.end(pkg, id.test, true)
		}
	}
	if failed {
		t.broken[pkg] = true
	}
}

// count returns the numbers of test cases that passed and failed.
func (t *tally) count() (passed, failed int) {
	headings := t.headings()
	for id, bad := range t.failed {
		if !bad && !headings[id] {
			passed++
		}
	}
	return passed, len(t.failures())
}

// failures returns the test cases that failed, those that did not end, and the
// packages that failed without a failed test: these have no test's name.
func (t *tally) failures() (all []testID) {
	headings := t.headings()
	blamed := map[string]bool{}
	for id, bad := range t.failed {
		if bad && !headings[id] {
			blamed[id.pkg] = true
			all = append(all, id)
		}
	}
	for id := range t.open {
		all = append(all, id)
	}
	for pkg := range t.broken {
		if !blamed[pkg] {
			all = append(all, testID{pkg: pkg})
		}
	}
	return all
}

// headings are the tests that have subtests, but not one that failed of itself
// while all its subtests passed.
func (t *tally) headings() map[testID]bool {
	headings := map[testID]bool{}
	blame := map[testID]bool{}
	for id, bad := range t.failed {
		for i := strings.LastIndexByte(id.test, '/'); i > 0; i = strings.LastIndexByte(id.test[:i],
			'/') {
			above := testID{id.pkg, id.test[:i]}
			headings[above] = true
			blame[above] = blame[above] || bad
		}
	}
	for id := range headings {
		if t.failed[id] && !blame[id] {
			delete(headings, id)
		}
	}
	return headings
}
