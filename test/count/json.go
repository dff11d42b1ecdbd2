package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string
	Elapsed                                                float64
}

// readJSON counts the events of `go test -json`. It shows one line for each
// package, and all output of the tests that failed.
func readJSON(r io.Reader, w io.Writer) (*tally, error) {
	t := newTally()
	output := map[testID]string{}
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			t.jsonLine(line, output, w)
		}
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return t, err
		}
	}
}

func (t *tally) jsonLine(line []byte, output map[testID]string, w io.Writer) {
	var e event
	if line[0] != '{' || json.Unmarshal(line, &e) != nil {
		w.Write(line) // not an event: the go command's own words
		return
	}
	id := testID{e.Package, e.Test}
	switch e.Action {
	case "run":
		t.begin(e.Package, e.Test)
	case "output":
		output[id] += e.Output
	case "build-output":
		fmt.Fprint(w, e.Output)
	case "pass", "fail", "skip":
		t.jsonEnd(e, output[id], w)
		delete(output, id)
	}
}

// jsonEnd takes in the end of a test or package. A skipped test is a failed
// one; a skipped package has no tests.
func (t *tally) jsonEnd(e event, output string, w io.Writer) {
	if e.Test != "" {
		t.end(e.Package, e.Test, e.Action != "pass")
		if e.Action != "pass" {
			t.say(testID{e.Package, e.Test}, lastComplaint(output))
			fmt.Fprint(w, output)
		}
		return
	}
	t.endPackage(e.Package, e.Action == "fail")
	switch e.Action {
	case "fail":
		fmt.Fprint(w, output)
		fmt.Fprintf(w, "FAIL %s (%.1f s)\n", e.Package, e.Elapsed)
	case "pass":
		fmt.Fprintf(w, "ok   %s (%.1f s)\n", e.Package, e.Elapsed)
	}
}
