package main

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
)

// suites are the columns of the table, oldest first; others follow by name.
var suites = []string{"bookworm", "trixie", "forky"}

// columns are the suites of the table.
func (r results) columns() []string {
	columns, more := slices.Clone(suites), map[string]bool{}
	for _, in := range r {
		for suite := range in {
			more[suite] = !slices.Contains(columns, suite)
		}
	}
	for _, suite := range slices.Sorted(maps.Keys(more)) {
		if more[suite] {
			columns = append(columns, suite)
		}
	}
	return columns
}

// table is the table in Markdown.
func (r results) table() string {
	var b strings.Builder
	columns := r.columns()
	row := func(first string, cell func(suite string) string) {
		b.WriteString("| " + first + " |")
		for _, suite := range columns {
			b.WriteString(" " + cell(suite) + " |")
		}
		b.WriteString("\n")
	}
	row("", func(suite string) string { return suite })
	row("---", func(string) string { return "---" })
	order := slices.SortedFunc(maps.Keys(r), func(a, b feature) int {
		return cmp.Or(cmp.Compare(a.area, b.area), cmp.Compare(a.what, b.what))
	})
	area := ""
	for _, f := range order {
		if f.area != area {
			area = f.area
			row("**"+area+"**", func(string) string { return "" })
		}
		row(f.what, func(suite string) string { return verdict(r[f], suite) })
	}
	return b.String()
}

func verdict(in map[string]bool, suite string) string {
	works, ran := in[suite]
	switch {
	case !ran:
		return "not run"
	case works:
		return "works"
	}
	return "**fails**"
}

const begin, end = "<!-- features -->\n", "<!-- /features -->\n"

// replace puts the table between the markers.
func replace(text, table string) (string, error) {
	if strings.Count(text, begin) != 1 || strings.Count(text, end) != 1 {
		return "", errors.New("the markers of the table are not there once each")
	}
	before, rest, _ := strings.Cut(text, begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", errors.New("the table's end stands before its beginning")
	}
	return before + begin + table + end + after, nil
}

// difference lists the lines that only one of two texts has.
func difference(old, now string) string {
	var b strings.Builder
	only := func(sign, a, without string) {
		has := strings.Split(without, "\n")
		for line := range strings.SplitSeq(a, "\n") {
			if !slices.Contains(has, line) {
				b.WriteString(sign + line + "\n")
			}
		}
	}
	only("- ", old, now)
	only("+ ", now, old)
	return b.String()
}
