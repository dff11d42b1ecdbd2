package family

import (
	"fmt"
	"testing"

	"thinmount/lib/thin"
)

// of makes volumes of pool p: name, origin, name, origin.
func of(pairs ...string) (infos []thin.VolumeInfo) {
	for i := 0; i < len(pairs); i += 2 {
		v := thin.VolumeInfo{Volume: thin.Volume{Pool: "p", Name: pairs[i]}}
		if pairs[i+1] != "" {
			v.Origin = &thin.Volume{Pool: "p", Name: pairs[i+1]}
		}
		infos = append(infos, v)
	}
	return infos
}

func TestLeavesFirst(t *testing.T) {
	f := Of(of("base", "", "b", "base", "a", "base", "aa", "a", "other", "", "ab", "a"))
	for _, row := range []struct{ from, want string }{
		{"base", "[[p/aa p/ab p/b] [p/a] [p/base]]"},
		{"a", "[[p/aa p/ab] [p/a]]"},
		{"other", "[[p/other]]"},
		{"unknown", "[[p/unknown]]"},
	} {
		got := f.LeavesFirst([]thin.Volume{{Pool: "p", Name: row.from}})
		if fmt.Sprint(got) != row.want {
			t.Errorf("%s: %v, want %s", row.from, got, row.want)
		}
	}
	both := f.LeavesFirst([]thin.Volume{{Pool: "p", Name: "aa"}, {Pool: "p", Name: "a"}})
	if fmt.Sprint(both) != "[[p/aa p/ab] [p/a]]" {
		t.Errorf("a volume and its origin: %v", both)
	}
}

// A wrong record may say that two volumes were made from each other.
func TestLoop(t *testing.T) {
	f := Of(of("a", "b", "b", "a"))
	n := 0
	for _, g := range f.LeavesFirst([]thin.Volume{{Pool: "p", Name: "a"}}) {
		n += len(g)
	}
	if n != 2 {
		t.Errorf("%d volumes", n)
	}
}

func TestDraw(t *testing.T) {
	f := Of(of("base", "", "b", "base", "a", "base", "aa", "a", "other", "", "ab", "a"))
	named := func(names ...string) (all []thin.Volume) {
		for _, n := range names {
			all = append(all, thin.Volume{Pool: "p", Name: n})
		}
		return all
	}
	for _, row := range []struct {
		of   []thin.Volume
		want string
	}{
		{named("other", "base", "b", "a", "aa", "ab"),
			"base;├─a;│ ├─aa;│ └─ab;└─b;other;"},
		{named("a"), "a;├─aa;└─ab;"},
		{named("b", "aa", "a"), "a;├─aa;└─ab;b;"},
	} {
		got := ""
		for _, l := range f.Draw(row.of) {
			got += l.Drawn + l.Volume.Volume.Name + ";"
		}
		if got != row.want {
			t.Errorf("%v: %s, want %s", row.of, got, row.want)
		}
	}
	if n := len(Of(of("a", "b", "b", "a")).Draw(named("a"))); n != 2 {
		t.Errorf("of a loop: %d lines", n)
	}
}
