// Report sums up what test/torture/run --report has counted.
//
//	report [-to DOC] SUITE=FILE…
//
// It prints a line for each suite and each failure, and exits with 1 if there is
// one. With -to it writes the table into DOC, between the marks
// <!-- torture --> and <!-- /torture -->.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// part is a line of a report: what one test has counted.
type part struct {
	Part       string
	Kills      int
	Faults     int
	Cuts       int
	Operations int
	Missed     int
	Suspended  string `json:"longest_suspended"`
	Failures   []failure
}

type failure struct{ Point, What string }

// total is all that was counted on a suite.
type total struct {
	suite string
	part
}

func main() {
	doc := flag.String("to", "", "write the table into `DOC`")
	flag.Parse()
	failures, err := run(flag.Args(), *doc, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if err != nil || failures > 0 {
		os.Exit(1)
	}
}

func run(args []string, doc string, out io.Writer) (failures int, err error) {
	var totals []total
	for _, arg := range args {
		suite, file, ok := strings.Cut(arg, "=")
		if !ok {
			return 0, fmt.Errorf("%q: want SUITE=FILE", arg)
		}
		f, err := os.Open(file)
		if err != nil {
			return 0, err
		}
		t, err := read(suite, f)
		f.Close()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		totals = append(totals, t)
		failures += len(t.Failures)
	}
	for _, t := range totals {
		fmt.Fprintf(out, "%s: %d kills, %d faults, %d power cuts, %d operations of a crowd; %d failures\n",
			t.suite, t.Kills, t.Faults, t.Cuts, t.Operations, len(t.Failures))
		for _, f := range t.Failures {
			fmt.Fprintf(out, "again: test/torture/run --suite %s --only %s\n", t.suite, f.Point)
		}
	}
	if doc == "" {
		return failures, nil
	}
	return failures, write(doc, table(totals))
}

// read adds up the lines of a report.
func read(suite string, r io.Reader) (total, error) {
	t := total{suite: suite}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	parts := 0
	for lines.Scan() {
		var p part
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return t, err
		}
		parts++
		t.Kills += p.Kills
		t.Faults += p.Faults
		t.Cuts += p.Cuts
		t.Operations += p.Operations
		t.Missed += p.Missed
		t.Failures = append(t.Failures, p.Failures...)
		if p.Suspended != "" {
			t.Suspended = p.Suspended
		}
	}
	if err := lines.Err(); err != nil {
		return t, err
	}
	if parts == 0 {
		return t, errors.New("nothing was counted")
	}
	return t, nil
}

func table(totals []total) string {
	var b strings.Builder
	row := func(what string, value func(total) string) {
		fmt.Fprintf(&b, "| %s |", what)
		for _, t := range totals {
			fmt.Fprintf(&b, " %s |", value(t))
		}
		b.WriteString("\n")
	}
	number := func(of func(total) int) func(total) string {
		return func(t total) string { return fmt.Sprint(of(t)) }
	}
	row(" ", func(t total) string { return t.suite })
	b.WriteString("| --- |" + strings.Repeat(" ---: |", len(totals)) + "\n")
	row("commands killed at a system call", number(func(t total) int { return t.Kills }))
	row("system calls that failed", number(func(t total) int { return t.Faults }))
	row("of both, met nothing: a wait took fewer turns", number(func(t total) int { return t.Missed }))
	row("power cuts", number(func(t total) int { return t.Cuts }))
	row("operations of a crowd", number(func(t total) int { return t.Operations }))
	row("longest time a device stayed suspended", func(t total) string { return t.Suspended })
	row("**failures**", number(func(t total) int { return len(t.Failures) }))
	return b.String()
}

const begin, end = "<!-- torture -->\n", "<!-- /torture -->"

// write puts text between the marks.
func write(doc, text string) error {
	b, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s: has no %q and %q", doc, begin, end)
	}
	return os.WriteFile(doc, []byte(head+begin+text+end+tail), 0o644)
}
