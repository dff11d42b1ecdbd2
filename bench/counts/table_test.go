package counts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	table := Table{{"mount", Counts{"dm": 14, "sync": 1}}, {"umount, last", Counts{"mountinfo": 3}}}
	again, err := ParseTable("# a comment\n\n" + table.String())
	if err != nil || again.String() != table.String() {
		t.Errorf("%v\n%s\nwant\n%s", err, again, table)
	}
	for _, bad := range []string{"operation\tdm\nmount\n", "operation\tdm\nmount\tmany\n"} {
		if _, err := ParseTable(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// ranged is what one or more runs made.
func ranged(runs ...Table) (r Range) {
	for _, t := range runs {
		r.Add(t)
	}
	return r
}

func TestCompare(t *testing.T) {
	want := Table{{"a", Counts{"dm": 2, "sync": 5}}, {"gone", Counts{}}}
	got := Table{{"a", Counts{"dm": 3, "sync": 4}}, {"new", Counts{}}}
	grown, shrunk := Compare(want, ranged(got))
	wanted := []string{"a: dm: 3, was 2", "new: not in the table", "gone: in the table alone"}
	if !slices.Equal(grown, wanted) {
		t.Errorf("grown: %q, want %q", grown, wanted)
	}
	if wanted := []string{"a: sync: 4, was 5"}; !slices.Equal(shrunk, wanted) {
		t.Errorf("shrunk: %q, want %q", shrunk, wanted)
	}
	if grown, shrunk := Compare(want, ranged(want)); len(grown)+len(shrunk) > 0 {
		t.Errorf("of equal tables: %q, %q", grown, shrunk)
	}
}

// A number that is as wanted in one of several runs is as wanted. A command
// that waits may ask once more, but never sync once more.
func TestCompareRuns(t *testing.T) {
	one := func(dm, sync int) Table { return Table{{"a", Counts{"dm": dm, "sync": sync}}} }
	for _, c := range []struct {
		want          Table
		got           Range
		grown, shrunk int
	}{
		{one(40, 2), ranged(one(48, 2)), 0, 0},
		{one(40, 2), ranged(one(49, 2)), 1, 0},
		{one(40, 2), ranged(one(49, 2), one(41, 2)), 0, 0},
		{one(40, 2), ranged(one(32, 2)), 0, 0},
		{one(40, 2), ranged(one(31, 2), one(30, 2)), 0, 1},
		{one(40, 20), ranged(one(40, 21)), 1, 0},
		{one(40, 2), ranged(one(40, 1), one(40, 3)), 0, 0},
		{one(40, 2), ranged(one(40, 1), one(40, 1)), 0, 1},
	} {
		grown, shrunk := Compare(c.want, c.got)
		if len(grown) != c.grown || len(shrunk) != c.shrunk {
			t.Errorf("want %v, got %v: %q, %q", c.want, c.got, grown, shrunk)
		}
	}
}

// The tables of the repository can be read, and name the same commands.
func TestTables(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tsv")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d tables: %v", len(files), err)
	}
	names := ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		table, err := ParseTable(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var have []string
		for _, row := range table {
			have = append(have, row.Name)
		}
		if names == "" {
			names = strings.Join(have, ", ")
		}
		if got := strings.Join(have, ", "); got != names || len(have) == 0 {
			t.Errorf("%s has %s, want %s", file, got, names)
		}
	}
}
