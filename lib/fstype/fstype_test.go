package fstype

import (
	"slices"
	"testing"
)

func TestFind(t *testing.T) {
	for name, want := range map[string]Type{
		"ext2":  {"ext2", true, NoDiscard},
		"xfs":   {"xfs", true, DiscardBoth},
		"exfat": {"exfat", true, DiscardOnly},
		"erofs": {"erofs", false, NoDiscard},
		"udf":   {"udf", false, NoDiscard},
		"":      {},
	} {
		if got := Find(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// What can be made stands first, each once; and what is found can be mounted.
func TestNames(t *testing.T) {
	all, made := Mounted(), Made()
	if len(made) == 0 || !slices.Equal(all[:len(made)], made) {
		t.Errorf("%q, %q", all, made)
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("%q: one stands twice", all)
	}
}
