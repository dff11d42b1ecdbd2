package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// listing is a table of things, and how the command line wants it printed.
type listing[T any] struct {
	command string
	// key is the name of the list in JSON; record makes the JSON of one thing.
	key    string
	record func(T) any

	all      []column[T]
	defaults string

	columns             []column[T]
	sortBy              *column[T]
	descending          bool
	bare, exact, asJSON bool
	askedHelp           bool
}

func showFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "no-headings", Aliases: []string{"noheadings", "H"}, Usage: "no headings, one tab between columns, nothing padded"},
		&cli.BoolFlag{Name: "parsable", Aliases: []string{"p"}, Usage: "exact numbers: sizes in bytes, times in seconds since 1970"},
		&cli.BoolFlag{Name: "json", Aliases: []string{"j"}, Usage: "one JSON object, with everything that is known"},
		&cli.StringFlag{Name: "columns", Aliases: []string{"o"}, Usage: "show `COLUMNS`, separated by commas; +id adds id to the usual ones; help lists all"},
	}
}

func listFlags() []cli.Flag {
	return append(showFlags(),
		&cli.StringFlag{Name: "sort", Aliases: []string{"s"}, Usage: "smallest `COLUMN` first; by name otherwise"},
		&cli.StringFlag{Name: "sort-descending", Aliases: []string{"S"}, Usage: "largest `COLUMN` first"})
}

// read reads the flags of c into l.
func (l *listing[T]) read(c *call) error {
	l.bare, l.exact, l.asJSON = c.Bool("no-headings"), c.Bool("parsable"), c.Bool("json")
	chosen := c.String("columns")
	if chosen == "help" {
		l.askedHelp = true
		return nil
	}
	if c.Bool("quiet") && !l.asJSON {
		l.bare, chosen = true, "name"
	}
	if l.asJSON && c.IsSet("columns") {
		return usagef("--json always has every field: -o does not go with it")
	}
	var err error
	if l.columns, err = chooseColumns(l.all, l.defaults, chosen); err != nil {
		return err
	}
	return l.readSort(c.String("sort"), c.String("sort-descending"))
}

func (l *listing[T]) readSort(ascending, descending string) error {
	if ascending != "" && descending != "" {
		return usagef("-s and -S exclude each other")
	}
	if name := ascending + descending; name != "" {
		by, err := findColumn(l.all, name)
		if err != nil {
			return err
		}
		l.sortBy, l.descending = &by, descending != ""
	}
	return nil
}

// wide makes all columns default columns.
func (l *listing[T]) wide() *listing[T] {
	names := make([]string, len(l.all))
	for i, c := range l.all {
		names[i] = c.name
	}
	l.defaults = strings.Join(names, ",")
	return l
}

// writeHelp prints the names of all columns.
func (l *listing[T]) writeHelp(w io.Writer) error {
	rows := make([][]cell, len(l.all))
	for i, c := range l.all {
		rows[i] = []cell{{text: c.name}, {text: c.help}}
	}
	return writeTable(w, rows)
}

// writeList prints the things, one on each line.
func (l *listing[T]) writeList(w io.Writer, things []T) error {
	things = l.sorted(things)
	if l.asJSON {
		return l.writeJSON(w, things)
	}
	var rows [][]cell
	if !l.bare && len(things) > 0 {
		rows = append(rows, l.row(func(c column[T]) string { return c.head }))
	}
	for _, t := range things {
		rows = append(rows, l.row(func(c column[T]) string { return text(c.value(t), l.exact) }))
	}
	return l.writeRows(w, rows)
}

func (l *listing[T]) row(field func(column[T]) string) []cell {
	row := make([]cell, len(l.columns))
	for i, c := range l.columns {
		row[i] = cell{field(c), c.right}
	}
	return row
}

// writeShow prints one thing, one property on each line.
func (l *listing[T]) writeShow(w io.Writer, thing T) error {
	if l.asJSON {
		return l.writeJSON(w, []T{thing})
	}
	rows := make([][]cell, len(l.columns))
	for i, c := range l.columns {
		rows[i] = []cell{{text: c.name}, {text: text(c.value(thing), l.exact)}}
	}
	return l.writeRows(w, rows)
}

func (l *listing[T]) writeRows(w io.Writer, rows [][]cell) error {
	if l.bare {
		return writeBare(w, rows)
	}
	return writeTable(w, rows)
}

// sorted sorts by the chosen column, and things with equal values by name, so
// that two runs print the same.
func (l *listing[T]) sorted(things []T) []T {
	name := l.all[0]
	return slices.SortedStableFunc(slices.Values(things), func(a, b T) int {
		order := 0
		if l.sortBy != nil {
			order = compareValues(l.sortBy.value(a), l.sortBy.value(b))
		}
		if l.descending {
			order = -order
		}
		if order != 0 {
			return order
		}
		return strings.Compare(fmt.Sprint(name.value(a)), fmt.Sprint(name.value(b)))
	})
}
