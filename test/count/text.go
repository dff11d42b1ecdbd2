package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// marker precedes the lines that a test binary prints of itself under
// -test.v=test2json, so that what a test prints is not taken for them.
const marker = "\x16"

// readText counts the output of test binaries run one after another, each
// preceded by the line `=== PACKAGE name`, and passes it on without the
// markers. `=== PACKAGE-FAIL name` says that a binary, or what it left behind,
// failed.
func readText(r io.Reader, w io.Writer) (*tally, error) {
	t := newTally()
	pkg := ""
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			show(w, line)
			pkg = t.textLine(pkg, line)
		}
		if err == io.EOF {
			t.endPackage(pkg, false)
			return t, nil
		}
		if err != nil {
			return t, err
		}
	}
}

// show passes a line on, but for those that only tell a program whose output
// follows.
func show(w io.Writer, line string) {
	before, _, switched := strings.Cut(line, marker+"=== NAME  ")
	if !switched {
		fmt.Fprint(w, strings.ReplaceAll(line, marker, ""))
	} else if before != "" {
		fmt.Fprintln(w, before)
	}
}

// textLine takes in one line of package pkg, and returns the package of the
// next.
func (t *tally) textLine(pkg, all string) string {
	_, line, marked := strings.Cut(all, marker) // a program's last words may have no newline
	if !marked {
		if complains(all) {
			t.complaint = all
		}
		return pkg
	}
	line = strings.TrimSpace(line)
	verb, rest, _ := strings.Cut(line, ": ")
	switch verb {
	case "--- PASS", "--- FAIL", "--- SKIP":
		name, _, _ := strings.Cut(rest, " (")
		t.end(pkg, name, verb != "--- PASS")
		if verb == "--- FAIL" {
			t.say(testID{pkg, name}, t.complaint)
		}
		t.complaint = ""
	}
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != "===" {
		return pkg
	}
	switch f[1] {
	case "RUN":
		t.begin(pkg, f[2])
	case "PACKAGE":
		t.endPackage(pkg, false)
		return f[2]
	case "PACKAGE-FAIL":
		t.endPackage(f[2], true)
	}
	return pkg
}
