package counts

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Row is the Counts of one command.
type Row struct {
	Name string
	Counts
}

// Table is the Counts of several commands, in their order.
type Table []Row

// ParseTable reads a table: a heading, then a line for each command, with tabs
// between the columns. Lines that begin with # are comments.
func ParseTable(text string) (Table, error) {
	var t Table
	var heading []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if heading == nil {
			heading = fields[1:]
			continue
		}
		if len(fields) != len(heading)+1 {
			return nil, fmt.Errorf("line %q: %d columns, want %d", line, len(fields),
				len(heading)+1)
		}
		row := Row{fields[0], Counts{}}
		for i, column := range heading {
			n, err := strconv.Atoi(fields[i+1])
			if err != nil {
				return nil, fmt.Errorf("line %q: %w", line, err)
			}
			row.Counts[column] = n
		}
		t = append(t, row)
	}
	return t, nil
}

// String is the inverse of ParseTable.
func (t Table) String() string {
	var b strings.Builder
	b.WriteString("operation\t" + strings.Join(Columns, "\t") + "\n")
	for _, row := range t {
		b.WriteString(row.Name)
		for _, column := range Columns {
			fmt.Fprintf(&b, "\t%d", row.Counts[column])
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Of returns the Counts of a command; nil if the table does not have it.
func (t Table) Of(name string) Counts {
	i := slices.IndexFunc(t, func(r Row) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return t[i].Counts
}

// Range is what several runs of the same commands made: the fewest calls of
// each kind, and the most. A call that one run made and another did not is no
// part of the command. An example is the question whether a device is gone by
// now.
type Range struct{ Least, Most Table }

// Add takes in one run.
func (r *Range) Add(t Table) {
	r.Least, r.Most = pick(r.Least, t, func(a, b int) int { return min(a, b) }),
		pick(r.Most, t, func(a, b int) int { return max(a, b) })
}

// pick makes a table of two: of the second alone, if the first is empty.
func pick(a, b Table, of func(a, b int) int) (t Table) {
	for _, row := range b {
		c := maps.Clone(row.Counts)
		if before := a.Of(row.Name); before != nil {
			for _, column := range Columns {
				c[column] = of(before[column], c[column])
			}
		}
		t = append(t, Row{row.Name, c})
	}
	return t
}

// waits are the columns in which a command makes a call more while it waits,
// however often it runs. They may differ by a fifth.
var waits = map[string]bool{"dm": true, "ioctl": true, "open": true, "readdir": true}

// Compare returns a line for each number that is always larger than wanted, or
// always smaller, and for each command that only one of the tables has.
func Compare(want Table, got Range) (grown, shrunk []string) {
	for _, row := range got.Least {
		w, most := want.Of(row.Name), got.Most.Of(row.Name)
		if w == nil {
			grown = append(grown, row.Name+": not in the table")
			continue
		}
		for _, column := range Columns {
			slack := 0
			if waits[column] {
				slack = w[column] / 5
			}
			say := func(n int) string {
				return fmt.Sprintf("%s: %s: %d, was %d", row.Name, column, n, w[column])
			}
			if n := row.Counts[column]; n > w[column]+slack {
				grown = append(grown, say(n))
			}
			if n := most[column]; n < w[column]-slack {
				shrunk = append(shrunk, say(n))
			}
		}
	}
	for _, row := range want {
		if got.Least.Of(row.Name) == nil {
			grown = append(grown, row.Name+": in the table alone")
		}
	}
	return grown, shrunk
}
