package table

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"thinmount/cmd/thin-snap/internal/amount"
	"thinmount/cmd/thin-snap/internal/usage"
)

// Column is one property of the listed things. Its name is the JSON field's.
type Column[T any] struct {
	Name, head, help string
	right            bool
	// value returns an int64, Bytes, time.Time, bool or string; or nil if the
	// value is not known or the property does not apply.
	value func(T) any
	// each returns a column for each part of the value; show prints these.
	each func(T) []Column[T]
}

// Several returns a column whose value has several parts. A list prints value,
// and show a line for each column that each returns.
func Several[T any](
	name, head, help string, value func(T) any, each func(T) []Column[T],
) Column[T] {
	return Column[T]{Name: name, head: head, help: help, value: value, each: each}
}

// Left returns a column whose values are aligned at the left.
func Left[T any](name, head, help string, value func(T) any) Column[T] {
	return Column[T]{Name: name, head: head, help: help, value: value}
}

// Right returns a column whose values are aligned at the right, as is usual for
// numbers.
func Right[T any](name, head, help string, value func(T) any) Column[T] {
	return Column[T]{Name: name, head: head, help: help, right: true, value: value}
}

// Bytes is a size, which prints as 1.50G, or exactly with Options.Exact.
type Bytes int64

// text returns a value as text. With exact, a size has all its digits, and a
// time is the number of seconds since 1970.
func text(v any, exact bool) string {
	switch v := v.(type) {
	case Bytes:
		if exact {
			return strconv.FormatInt(int64(v), 10)
		}
		return amount.Nice(int64(v))
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		if v.IsZero() {
			return "-"
		}
		if exact {
			return strconv.FormatInt(v.Unix(), 10)
		}
		return v.Local().Format("2006-01-02 15:04")
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return escape(v)
	}
	return "-"
}

// escape escapes the control characters in s, backslashes, and bytes that are
// not UTF-8, so that s cannot break a line or a column or control a terminal.
// It writes each byte as /proc/self/mountinfo does: \011, \134, \033, \302\233.
func escape(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i, width := 0, 0; i < len(s); i += width {
		var r rune
		r, width = utf8.DecodeRuneInString(s[i:])
		if r != '\\' && !unicode.IsControl(r) && (r != utf8.RuneError || width > 1) {
			b.WriteString(s[i : i+width])
			continue
		}
		for _, c := range []byte(s[i : i+width]) {
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return b.String()
}

// plain reports whether s is ASCII that needs no escape.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// compareValues orders two values of one column. nil comes first.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case nil:
		return cmp.Compare(rank(nil), rank(b))
	case Bytes:
		return compareAs(a, b, cmp.Compare)
	case int64:
		return compareAs(a, b, cmp.Compare)
	case string:
		return compareAs(a, b, cmp.Compare)
	case time.Time:
		return compareAs(a, b, time.Time.Compare)
	}
	return cmp.Compare(text(a, true), text(b, true))
}

func compareAs[V any](a V, b any, compare func(V, V) int) int {
	if b, ok := b.(V); ok {
		return compare(a, b)
	}
	return cmp.Compare(rank(a), rank(b))
}

func rank(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

// chooseColumns reads the value of -o: names, or "+" and names that are added
// to the default ones.
func (l *Listing[T]) chooseColumns(chosen string) ([]Column[T], error) {
	names, defaults := chosen, l.Defaults
	if more, plus := strings.CutPrefix(chosen, "+"); plus {
		names = defaults + "," + more
	} else if chosen == "" {
		names = defaults
	}
	var out []Column[T]
	for name := range strings.SplitSeq(names, ",") {
		if name == "" {
			return nil, &usage.Error{
				Message: "-o " + chosen + ": a column has no name",
				Hint:    "separate them by a comma and no blank: -o name,size",
			}
		}
		c, err := l.Column(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o Column[T]) bool { return o.Name == c.Name }) {
			out = append(out, c)
		}
	}
	return out, nil
}

// Column returns the column of that name, which the user has typed.
func (l *Listing[T]) Column(name string) (Column[T], error) {
	at := slices.IndexFunc(l.Columns, func(c Column[T]) bool { return c.Name == name })
	if at >= 0 {
		return l.Columns[at], nil
	}
	if l.Free != nil {
		if c, is, err := l.Free(name); is || err != nil {
			return c, err
		}
	}
	names := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		names[i] = c.Name
	}
	return Column[T]{}, &usage.Error{
		Message: "unknown column " + strconv.Quote(name),
		Hint:    usage.DidYouMean(name, names, "", "-o help lists them"),
	}
}

// Value returns what the column has for one thing: an int64, Bytes, time.Time,
// bool or string, or nil.
func (c Column[T]) Value(thing T) any { return c.value(thing) }
