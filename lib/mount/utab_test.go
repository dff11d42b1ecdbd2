package mount

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/sys/mountinfo"
	"pgregory.net/rapid"
)

func none(int, string, string) bool { return false }

func entry(id int, target string) Entry {
	return Entry{ID: id, Source: "/dev/mapper/thin-p@v", Target: target, Root: "/", Spec: "p/v"}
}

// lines of utab after some edits.
func lines(t *testing.T, u Utab) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(u.Dir, "utab"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(s string) bool { return s == "" })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUtabAddAndRemove(t *testing.T) {
	u, ctx := Utab{Dir: filepath.Join(t.TempDir(), "mount")}, context.Background()
	e := entry(67, "/mnt/a b")
	e.Options = []string{"_netdev"}
	check(t, u.Add(ctx, e, none))
	want := []string{
		`ID=67 SRC=/dev/mapper/thin-p@v TARGET=/mnt/a\040b ROOT=/ OPTS=helper=thin,_netdev`,
		`SRC=p/v TARGET=/mnt/a\040b ROOT=/.thin-shadow OPTS=helper=thin`,
	}
	if got := lines(t, u); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range []string{"utab.lock", "utab.event"} {
		if _, err := os.Stat(filepath.Join(u.Dir, name)); err != nil {
			t.Error(err)
		}
	}
	check(t, u.Remove(ctx, e, none))
	if got := lines(t, u); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(u.Dir, "utab.*")); len(left) != 2 {
		t.Errorf("files are left: %q", left)
	}
}

// An umount that is not the last: umount(8) takes the last line of the target
// away, and the next must find the helper all the same.
func TestUtabShadowsAreReplaced(t *testing.T) {
	u, ctx := Utab{Dir: t.TempDir()}, context.Background()
	check(t, u.Add(ctx, entry(67, "/mnt"), none))
	for range 5 {
		check(t, u.AddShadow(ctx, "p/v", "/mnt"))
		left := lines(t, u)
		check(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(strings.Join(left[:len(left)-1], "\n")+"\n"), 0o644))
	}
	if got := lines(t, u); len(got) != 2 || !strings.HasPrefix(got[0], "ID=67 ") {
		t.Errorf("%q", got)
	}
}

func TestUtabStaleLines(t *testing.T) {
	const (
		stale    = "ID=3 SRC=/dev/mapper/thin-p@old TARGET=/mnt ROOT=/ OPTS=helper=thin"
		noID     = "SRC=/dev/mapper/thin-p@w TARGET=/mnt ROOT=/ OPTS=helper=thin"
		below    = "ID=4 SRC=/dev/mapper/thin-p@x TARGET=/mnt ROOT=/ OPTS=helper=thin"
		other    = "ID=3 SRC=/dev/sda TARGET=/mnt ROOT=/ OPTS=uhelper=udisks2"
		elseness = "ID=9 SRC=/dev/mapper/thin-p@y TARGET=/else ROOT=/ OPTS=helper=thin"
	)
	u, ctx := Utab{Dir: t.TempDir()}, context.Background()
	check(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(strings.Join([]string{stale, noID, below, other, elseness}, "\n")+"\n"), 0o644))
	table := []*mountinfo.Info{{ID: 4, Mountpoint: "/mnt", Source: "/dev/mapper/thin-p@x"}, {ID: 67, Mountpoint: "/mnt", Source: "/dev/mapper/thin-p@v"}}
	check(t, u.Add(ctx, entry(67, "/mnt"), LiveIn(table, 67)))
	got := lines(t, u)
	if len(got) != 5 || got[0] != below || got[1] != other || got[2] != elseness {
		t.Errorf("%q", got)
	}
	check(t, u.Remove(ctx, entry(67, "/mnt"), LiveIn(table, 67)))
	if got := lines(t, u); !slices.Equal(got, []string{below, other, elseness, shadow("p/v", "/mnt")}) {
		t.Errorf("%q", got)
	}
}

// 2.38 drops the IDs: the line is told by its source then.
func TestUtabWithoutIDs(t *testing.T) {
	u, ctx := Utab{Dir: t.TempDir()}, context.Background()
	check(t, u.Add(ctx, entry(67, "/mnt"), none))
	text, _ := os.ReadFile(filepath.Join(u.Dir, "utab"))
	check(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(strings.ReplaceAll(string(text), "ID=67 ", "")), 0o644))
	check(t, u.Remove(ctx, entry(67, "/mnt"), LiveIn(nil, 67)))
	if got := lines(t, u); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// Lines of others stay byte for byte, whatever they are.
func TestUtabKeepsWhatIsNotOurs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		foreign := rapid.SliceOf(rapid.StringMatching(`[ -~]{1,40}`).Filter(func(s string) bool { return !strings.Contains(s, "helper=thin") && !strings.Contains(s, "thin-shadow") })).Draw(rt, "lines")
		edit := func(change func([]string) []string, text string) string { return editText(text, change) }
		before := strings.Join(foreign, "\n")
		if before != "" {
			before += "\n"
		}
		u := Utab{Dir: t.TempDir()}
		if err := os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(before), 0o644); err != nil {
			rt.Fatal(err)
		}
		n := rapid.IntRange(1, 4).Draw(rt, "mounts")
		for i := range n {
			if err := u.Add(context.Background(), entry(i+1, fmt.Sprint("/mnt/", i)), none); err != nil {
				rt.Fatal(err)
			}
		}
		for i := range n {
			if err := u.Remove(context.Background(), entry(i+1, fmt.Sprint("/mnt/", i)), none); err != nil {
				rt.Fatal(err)
			}
		}
		if after, _ := os.ReadFile(filepath.Join(u.Dir, "utab")); string(after) != before {
			rt.Fatalf("%q became %q", before, after)
		}
		if got := edit(func(l []string) []string { return l }, before); got != before {
			rt.Fatalf("%q became %q", before, got)
		}
	})
}

func TestUtabSideBySide(t *testing.T) {
	u, ctx := Utab{Dir: t.TempDir()}, context.Background()
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			e := entry(i+1, fmt.Sprint("/mnt/", i))
			if err := u.Add(ctx, e, none); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				if err := u.Remove(ctx, e, none); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := lines(t, u); len(got) != 32 {
		t.Errorf("%d lines, want 32", len(got))
	}
}

func TestMangleRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if s := rapid.String().Draw(t, "text"); unmangle(mangle(s)) != s || strings.ContainsAny(mangle(s), " \t\n") {
			t.Fatalf("%q became %q", s, mangle(s))
		}
	})
}

func FuzzParseLine(f *testing.F) {
	f.Add(`ID=67 UNIQID=1 SRC=/dev/x TARGET=/mnt\040a ROOT=/ ATTRS=a OPTS=helper=thin`)
	f.Add(`TARGET=\4 SRC`)
	f.Fuzz(func(t *testing.T, s string) {
		l := parseLine(s)
		if again := parseLine(l.String()); again != l {
			t.Errorf("%q: %+v became %+v", s, l, again)
		}
	})
}
