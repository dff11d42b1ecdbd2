package table

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"thinmount/cmd/thin-snap/internal/usage"
)

// TestCompareValues wants values ordered by what they are, and not by how they
// print. nil comes first.
func TestCompareValues(t *testing.T) {
	for _, ordered := range [][]any{
		{nil, Bytes(9), Bytes(10), Bytes(1 << 40)},
		{int64(-1), int64(2), int64(10)},
		{nil, "a", "b"},
		{time.Unix(9, 0), time.Unix(10, 0)},
		{false, true},
	} {
		for i, a := range ordered {
			for j, b := range ordered {
				if got := compareValues(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
					t.Errorf("compareValues(%v, %v) = %d", a, b, got)
				}
			}
		}
	}
}

// TestEscape wants that text cannot break a line or a column, and cannot
// control a terminal. Mount points are named by other users.
func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"/mnt/a b":           "/mnt/a b",
		"a\tb\nc\\d":         `a\011b\012c\134d`,
		"\x1b[2J\x00\x7f":    `\033[2J\000\177`,
		"\u009b2J\u0080":     `\302\2332J\302\200`,
		"\x9b\xff\xc3":       `\233\377\303`,
		"\u00a0\u00e4\ufffd": "\u00a0\u00e4\ufffd",
	} {
		if got := text(s, false); got != want {
			t.Errorf("%q is shown as %q, want %q", s, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x1b]0;x\a\u009b\xff\\033")
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q is shown as %q", s, got)
		}
		back := regexp.MustCompile(`\\[0-7]{3}`).ReplaceAllStringFunc(got, func(o string) string {
			n, err := strconv.ParseUint(o[1:], 8, 8)
			if err != nil {
				t.Fatal(err)
			}
			return string([]byte{byte(n)})
		})
		if back != s {
			t.Errorf("%q is shown as %q, which is %q", s, got, back)
		}
	})
}

func TestChooseColumns(t *testing.T) {
	for chosen, want := range map[string][]string{
		"": {"name", "size"}, "id": {"id"}, "id,name": {"id", "name"},
		"+id": {"name", "size", "id"}, "+name": {"name", "size"}, "id,id": {"id"},
	} {
		chosenOnes, err := listing().chooseColumns(chosen)
		var got []string
		for _, c := range chosenOnes {
			got = append(got, c.Name)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("-o %q: %q, %v, want %q", chosen, got, err, want)
		}
	}
	_, err := listing().chooseColumns("nmae")
	var wrong *usage.Error
	if !errors.As(err, &wrong) || wrong.Hint != "did you mean name; -o help lists them" {
		t.Errorf("%#v", err)
	}
	for _, bad := range []string{"+", ",", "id,", "NAME", "nosuch"} {
		if _, err := listing().chooseColumns(bad); !errors.As(err, new(*usage.Error)) {
			t.Errorf("-o %q: %v", bad, err)
		}
	}
}
