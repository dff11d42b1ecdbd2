package table

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"thinmount/cmd/thin-snap/internal/usage"
)

// Listing is a table of things, and how the command line wants it printed.
type Listing[T any] struct {
	Command string // as in thin-snap list
	// Key is the name of the list in JSON; Record makes the JSON of one thing.
	Key    string
	Record func(T) any

	Columns  []Column[T] // all of them; the first has the name
	Defaults string      // names of columns, separated by commas
	// Free returns the column for a name that none of Columns has, if there is
	// one. Free may be nil.
	Free func(name string) (c Column[T], is bool, err error)

	// Arrange, if it is not nil, puts the things of a list in their order, and
	// returns what is drawn before the first column of each for people.
	Arrange func([]T) (things []T, drawn []string)

	chosen     []Column[T]
	sortBy     *Column[T]
	descending bool
	filters    []filter[T]
	how        Options
}

// Options are what the command line says about a list.
type Options struct {
	Bare  bool // no headings, one tab between columns
	Exact bool // sizes in bytes, times in seconds since 1970
	JSON  bool
	// NamesOnly prints the first column alone, bare. JSON has all.
	NamesOnly bool
	// Columns has the names of columns; after "+" they follow the default ones;
	// "help" asks for a list of all.
	Columns string
	// Sort and SortDescending are names of columns, of which one at least is
	// empty.
	Sort, SortDescending string
	// Filters are COLUMN=VALUE. A list has only the things for which all hold.
	Filters []string
}

// filter is what the value of a column has to be.
type filter[T any] struct {
	column Column[T]
	value  string
}

// Read takes the options of a command line.
func (l *Listing[T]) Read(o Options) error {
	l.how = o
	if l.AskedHelp() {
		return nil
	}
	chosen := o.Columns
	if o.NamesOnly && !o.JSON {
		l.how.Bare, chosen = true, l.Columns[0].Name
	}
	if o.JSON && o.Columns != "" {
		return usage.Errorf("--json always has every field: -o does not go with it")
	}
	var err error
	if l.chosen, err = l.chooseColumns(chosen); err != nil {
		return err
	}
	if err := l.readFilters(o.Filters); err != nil {
		return err
	}
	return l.readSort(o.Sort, o.SortDescending)
}

func (l *Listing[T]) readSort(ascending, descending string) error {
	if ascending != "" && descending != "" {
		return usage.Errorf("-s and -S exclude each other")
	}
	if name := ascending + descending; name != "" {
		by, err := l.Column(name)
		if err != nil {
			return err
		}
		l.sortBy, l.descending = &by, descending != ""
	}
	return nil
}

func (l *Listing[T]) readFilters(all []string) error {
	for _, f := range all {
		name, value, ok := strings.Cut(f, "=")
		if !ok || name == "" || value == "" {
			return &usage.Error{Message: "--filter: not COLUMN=VALUE: " + f,
				Hint: "as --filter fs=ext4; a value that is missing is -"}
		}
		c, err := l.Column(name)
		if err != nil {
			return err
		}
		l.filters = append(l.filters, filter[T]{c, value})
	}
	return nil
}

// filtered returns the things for which all filters hold. The value of a filter
// may be what a table shows, the same with Options.Exact, or a text without the
// escapes of a table.
func (l *Listing[T]) filtered(things []T) []T {
	var out []T
	for _, t := range things {
		if !slices.ContainsFunc(l.filters, func(f filter[T]) bool { return !f.holds(t) }) {
			out = append(out, t)
		}
	}
	return out
}

func (f filter[T]) holds(thing T) bool {
	v := f.column.value(thing)
	s, isText := v.(string)
	return isText && s == f.value || text(v, true) == f.value || text(v, false) == f.value
}

// AskedHelp reports whether the user wants a list of the columns.
func (l *Listing[T]) AskedHelp() bool { return l.how.Columns == "help" }

// ForPeople reports whether the list is a table with headings, to which a
// message may be added.
func (l *Listing[T]) ForPeople() bool { return !l.how.Bare && !l.how.JSON }

// Wide makes all columns default columns.
func (l *Listing[T]) Wide() *Listing[T] {
	names := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		names[i] = c.Name
	}
	l.Defaults = strings.Join(names, ",")
	return l
}

// WriteHelp prints the names of all columns.
func (l *Listing[T]) WriteHelp(w io.Writer) error {
	rows := make([][]cell, len(l.Columns))
	for i, c := range l.Columns {
		rows[i] = []cell{{text: c.Name}, {text: c.help}}
	}
	return writeTable(w, rows)
}

// WriteList prints the things, one on each line.
func (l *Listing[T]) WriteList(w io.Writer, things []T) error {
	var drawn []string
	if l.Arrange != nil {
		things, drawn = l.Arrange(things)
	} else {
		things = l.sorted(l.filtered(things))
	}
	if l.how.JSON {
		return l.writeJSON(w, things)
	}
	rows := make([][]cell, 0, len(things)+1)
	cells := make([]cell, 0, cap(rows)*len(l.chosen)) // of all rows
	row := func(field func(Column[T]) string) {
		from := len(cells)
		for _, c := range l.chosen {
			cells = append(cells, cell{field(c), c.right})
		}
		rows = append(rows, cells[from:])
	}
	if !l.how.Bare && len(things) > 0 {
		row(func(c Column[T]) string { return c.head })
	}
	for i, t := range things {
		row(func(c Column[T]) string { return text(c.value(t), l.how.Exact) })
		if drawn != nil && !l.how.Bare {
			rows[len(rows)-1][0].text = drawn[i] + rows[len(rows)-1][0].text
		}
	}
	return l.writeRows(w, rows)
}

// WriteShow prints one thing, one property on each line.
func (l *Listing[T]) WriteShow(w io.Writer, thing T) error {
	if l.how.JSON {
		return l.writeJSON(w, []T{thing})
	}
	var rows [][]cell
	for _, c := range l.chosen {
		parts := []Column[T]{c}
		if c.each != nil {
			parts = c.each(thing)
		}
		for _, c := range parts {
			rows = append(rows, []cell{{text: c.Name}, {text: text(c.value(thing), l.how.Exact)}})
		}
	}
	return l.writeRows(w, rows)
}

func (l *Listing[T]) writeRows(w io.Writer, rows [][]cell) error {
	if l.how.Bare {
		return writeBare(w, rows)
	}
	return writeTable(w, rows)
}

// sorted sorts by the chosen column, and things with equal values by name, so
// that two runs print the same.
func (l *Listing[T]) sorted(things []T) []T {
	// Each key is made once. A thing is large, and is moved once.
	type keys struct {
		at   int
		by   any
		name string
	}
	order := make([]keys, len(things))
	for i, t := range things {
		order[i] = keys{at: i, name: fmt.Sprint(l.Columns[0].value(t))}
		if l.sortBy != nil {
			order[i].by = l.sortBy.value(t)
		}
	}
	compare := func(a, b keys) int {
		order := 0
		if l.sortBy != nil {
			order = compareValues(a.by, b.by)
		}
		if l.descending {
			order = -order
		}
		if order != 0 {
			return order
		}
		return strings.Compare(a.name, b.name)
	}
	if slices.IsSortedFunc(order, compare) {
		return things
	}
	slices.SortStableFunc(order, compare)
	sorted := make([]T, len(things))
	for i, k := range order {
		sorted[i] = things[k.at]
	}
	return sorted
}
