// Report sums up what test/torture/run --report has counted.
//
//	report [-to DOC] SUITE=FILE…
//
// A suite may have several files: a run in parts. It prints a line for each
// suite and each failure, and exits with 1 if there is one. With -to it writes
// tables into DOC, between the marks <!-- torture --> and <!-- /torture -->:
// what was done in all, and to each command.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// part is a line of a report: what one test has counted.
type part struct {
	Part       string
	Kernel     string
	Scenario   string
	Points     int
	Kills      int
	Faults     int
	Met        int // points that a blow has met; of some there are several blows
	Cuts       int
	Operations int
	Lost       int `json:"writes_lost"`
	Leaked     int `json:"cuts_with_blocks_in_vain"`
	Missed     int
	Suspended  string `json:"longest_suspended"`
	Failures   []failure
}

type failure struct{ Point, What string }

// total is all that was counted on a suite.
type total struct {
	suite string
	part
	scenarios  []string // in the order of the report
	met        map[blows]int
	points     map[blows]int
	crowdKills int // at any moment
}

// blows are the kills or the faults at a scenario's command. kind is "kill" or
// "fault".
type blows struct{ kind, scenario string }

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
	var totals []*total
	for _, arg := range args {
		suite, file, ok := strings.Cut(arg, "=")
		if !ok {
			return 0, fmt.Errorf("%q: want SUITE=FILE", arg)
		}
		i := slices.IndexFunc(totals, func(t *total) bool { return t.suite == suite })
		if i < 0 {
			i = len(totals)
			totals = append(totals,
				&total{suite: suite, met: map[blows]int{}, points: map[blows]int{}})
		}
		f, err := os.Open(file)
		if err != nil {
			return 0, err
		}
		err = totals[i].read(f)
		f.Close()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, t := range totals {
		failures += len(t.Failures)
		fmt.Fprintf(out,
			"%s: %d kills, %d faults, %d power cuts, %d operations of a crowd; %d failures\n",
			t.suite, t.Kills, t.Faults, t.Cuts, t.Operations, len(t.Failures))
		for _, f := range t.Failures {
			fmt.Fprintf(out, "again: test/torture/run --suite %s --only %s\n", t.suite, f.Point)
		}
	}
	if doc == "" {
		return failures, nil
	}
	return failures, write(doc, table(totals)+"\n"+commands(totals))
}

// read adds the lines of a report.
func (t *total) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	parts := 0
	for lines.Scan() {
		var p part
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return err
		}
		if err := t.add(p); err != nil {
			return err
		}
		parts++
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if parts == 0 {
		return errors.New("nothing was counted")
	}
	return nil
}

func (t *total) add(p part) error {
	if p.Part == "crowd" {
		t.crowdKills += p.Kills
	} else {
		t.Kills += p.Kills
	}
	t.Faults += p.Faults
	t.Cuts += p.Cuts
	t.Lost += p.Lost
	t.Leaked += p.Leaked
	t.Operations += p.Operations
	t.Missed += p.Missed
	t.Failures = append(t.Failures, p.Failures...)
	if t.Kernel == "" {
		t.Kernel = p.Kernel
	}
	if p.Scenario != "" {
		if !slices.Contains(t.scenarios, p.Scenario) {
			t.scenarios = append(t.scenarios, p.Scenario)
		}
		at := blows{p.Part, p.Scenario}
		if p.Met == 0 { // one blow for each point that it has met
			p.Met = p.Kills + p.Faults - p.Missed
		}
		t.met[at] += p.Met
		t.points[at] = max(t.points[at], p.Points)
	}
	if p.Suspended == "" {
		return nil
	}
	now, err := time.ParseDuration(p.Suspended)
	if err != nil {
		return err
	}
	if longest, _ := time.ParseDuration(t.Suspended); now > longest || t.Suspended == "" {
		t.Suspended = p.Suspended
	}
	return nil
}

// table shows what was done in all, with a column for each suite.
func table(totals []*total) string {
	var b strings.Builder
	row := func(what string, value func(*total) any) {
		fmt.Fprintf(&b, "| %s |", what)
		for _, t := range totals {
			fmt.Fprintf(&b, " %v |", value(t))
		}
		b.WriteString("\n")
	}
	row(" ", func(t *total) any { return t.suite })
	b.WriteString("| --- |" + strings.Repeat(" ---: |", len(totals)) + "\n")
	row("kernel", func(t *total) any { return t.Kernel })
	row("commands killed at a system call", func(t *total) any { return t.Kills })
	row("system calls that failed", func(t *total) any { return t.Faults })
	row("points that were not met: a wait took fewer turns", func(t *total) any { return t.Missed })
	row("power cuts", func(t *total) any { return t.Cuts })
	row("writes that a power cut lost", func(t *total) any { return t.Lost })
	row("of the cuts, with a block of the pool allocated in vain",
		func(t *total) any { return t.Leaked })
	row("operations of a crowd", func(t *total) any { return t.Operations })
	row("of them, killed at any moment", func(t *total) any { return t.crowdKills })
	row("longest time a device stayed suspended", func(t *total) any { return t.Suspended })
	row("**failures**", func(t *total) any { return len(t.Failures) })
	return b.String()
}

// commands shows how many of its system calls each command met with, by suite.
func commands(totals []*total) string {
	var b strings.Builder
	b.WriteString("| command |")
	for _, t := range totals {
		fmt.Fprintf(&b, " killed, %s | failed calls, %s |", t.suite, t.suite)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: | ---: |", len(totals)) + "\n")
	var names []string
	for _, t := range totals {
		for _, s := range t.scenarios {
			if !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	for _, name := range names {
		fmt.Fprintf(&b, "| %s |", name)
		for _, t := range totals {
			for _, kind := range []string{"kill", "fault"} {
				at := blows{kind, name}
				fmt.Fprintf(&b, " %d of %d |", t.met[at], t.points[at])
			}
		}
		b.WriteString("\n")
	}
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
