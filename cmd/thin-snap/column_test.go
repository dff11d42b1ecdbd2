package main

import (
	"slices"
	"testing"
	"time"
)

// Values of a column are ordered as what they are, not as they print; what does not apply comes first.
func TestCompareValues(t *testing.T) {
	for _, ordered := range [][]any{
		{nil, bytes(9), bytes(10), bytes(1 << 40)},
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

func TestChooseColumns(t *testing.T) {
	all := volumeColumns()
	for chosen, want := range map[string][]string{
		"": {"name", "size"}, "id": {"id"}, "id,name": {"id", "name"}, "+id": {"name", "size", "id"},
	} {
		columns, err := chooseColumns(all, "name,size", chosen)
		var got []string
		for _, c := range columns {
			got = append(got, c.name)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("-o %q: %q, %v, want %q", chosen, got, err, want)
		}
	}
	for _, bad := range []string{"+", ",", "id,", "NAME", "nosuch"} {
		if _, err := chooseColumns(all, "name", bad); exitCode(err) != exitUsage {
			t.Errorf("-o %q: %v", bad, err)
		}
	}
}
