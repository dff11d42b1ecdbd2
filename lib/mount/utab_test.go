package mount

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"thinmount/lib/mountinfo"
)

func none(int, string, string) bool { return false }

// content is the file, "" where there is none.
func (u Utab) content() string {
	b, _ := os.ReadFile(filepath.Join(u.Dir, "utab"))
	return string(b)
}

// check compares the file.
func (u Utab) check(t interface {
	Helper()
	Errorf(string, ...any)
}, want string) {
	t.Helper()
	if got := u.content(); got != want {
		t.Errorf("utab is\n%swant\n%s", got, want)
	}
}

func entry(id int) Entry {
	return Entry{ID: id, Source: "/dev/mapper/x", Target: "/mnt/a b", Root: "/", Spec: "p/v", Options: []string{"_netdev"}}
}

func do(t interface {
	Helper()
	Fatal(...any)
}, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const (
	anchorLine = `SRC=/dev/mapper/x TARGET=/mnt/a\040b ROOT=/ OPTS=helper=thin,_netdev` + "\n"
	shadowLine = `SRC=p/v TARGET=/mnt/a\040b ROOT=/.thin-shadow OPTS=helper=thin` + "\n"
)

func TestUtabLives(t *testing.T) {
	u := Utab{filepath.Join(t.TempDir(), "mount")}
	below := func(id int, _, _ string) bool { return id == 7 }
	do(t, u.Add(t.Context(), entry(7), none))
	u.check(t, "ID=7 "+anchorLine+shadowLine)
	do(t, u.Add(t.Context(), entry(8), below))
	u.check(t, "ID=7 "+anchorLine+shadowLine+"ID=8 "+anchorLine+shadowLine)
	do(t, u.AddShadow(t.Context(), "p/v", "/mnt/a b"))
	u.check(t, "ID=7 "+anchorLine+shadowLine+"ID=8 "+anchorLine+shadowLine+shadowLine)
	do(t, u.Remove(t.Context(), entry(8), below))
	u.check(t, "ID=7 "+anchorLine+shadowLine)
	do(t, u.Remove(t.Context(), entry(7), none))
	u.check(t, "")
}

// A mount that went without us leaves its lines; the next one clears them.
func TestUtabStale(t *testing.T) {
	u := Utab{t.TempDir()}
	for id := range 5 {
		do(t, u.Add(t.Context(), entry(id+1), none))
		u.check(t, "ID="+strconv.Itoa(id+1)+" "+anchorLine+shadowLine)
	}
}

// libmount 2.38 drops the ID: then source and target tell.
func TestUtabWithoutID(t *testing.T) {
	u := Utab{t.TempDir()}
	do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(anchorLine+shadowLine), 0o644))
	there := func(id int, source, target string) bool {
		return id == 0 && source == "/dev/mapper/x" && target == "/mnt/a b"
	}
	do(t, u.Remove(t.Context(), entry(9), there))
	u.check(t, anchorLine+shadowLine)
	do(t, u.Remove(t.Context(), entry(9), none))
	u.check(t, "")
}

// Lines of others stay, byte for byte, whatever they are.
func TestUtabLinesOfOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "utab")
		do(t, err)
		defer os.RemoveAll(dir)
		u, others := Utab{dir}, ""
		for _, l := range rapid.SliceOf(rapid.StringMatching(`[^\n]*|(ID=[0-9]+ )?SRC=/x TARGET=/mnt/a\\040b ROOT=/ OPTS=(user|x-a|helper=nfs|helper=thinner)`)).Draw(t, "others") {
			others += l + "\n"
		}
		do(t, os.WriteFile(filepath.Join(dir, "utab"), []byte(others), 0o644))
		do(t, u.Add(context.Background(), entry(3), none))
		u.check(t, others+"ID=3 "+anchorLine+shadowLine)
		do(t, u.Remove(context.Background(), entry(3), none))
		u.check(t, others)
	})
}

func TestUtabConcurrent(t *testing.T) {
	u := Utab{t.TempDir()}
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			e := Entry{ID: i + 1, Source: "s", Target: fmt.Sprint("/t", i), Root: "/", Spec: "p"}
			for range 3 {
				if err := u.Add(t.Context(), e, none); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					if err := u.Remove(t.Context(), e, none); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if n := strings.Count(u.content(), "\n"); n != 32 {
		t.Errorf("%d lines:\n%s", n, u.content())
	}
	if left, _ := filepath.Glob(filepath.Join(u.Dir, "utab.??????*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// Every line that is written is read as it was.
func FuzzParseLine(f *testing.F) {
	f.Add("7", "/dev/x", "/mnt/a\u00a0b", "/", "helper=thin")
	f.Add("", "\\040", "a\tb\nc\vd", "\\", "x=\"y z\"")
	f.Fuzz(func(t *testing.T, id, src, target, root, opts string) {
		if n, err := strconv.Atoi(id); err != nil || n < 1 {
			id = ""
		}
		l := line{id: strings.TrimSpace(id), src: src, target: target, root: root, opts: opts}
		if got := parseLine(l.String()); got != l {
			t.Errorf("%q is read as %q", l, got)
		}
		parseLine(src)
		if got := mountinfo.Unescape(mangle(src)); got != src {
			t.Errorf("%q becomes %q", src, got)
		}
	})
}

// TestUtabTidy wants that the lines of a device that is gone go, at whatever
// target, and those of others stay, byte by byte.
func TestUtabTidy(t *testing.T) {
	u := Utab{filepath.Join(t.TempDir(), "mount")}
	foreign := "SRC=nas:/x  TARGET=/nas ROOT=/ OPTS=_netdev\n"
	do(t, u.Add(t.Context(), entry(7), none))
	do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(foreign+u.content()), 0o644))
	other := Entry{ID: 9, Source: "/dev/mapper/y", Target: "/y", Root: "/", Spec: "p/y"}
	do(t, u.Add(t.Context(), other, none))
	do(t, u.AddShadow(t.Context(), "p/y", "/y"))
	all := u.content()
	gone := func(source string) bool { return source == "/dev/mapper/x" }
	do(t, u.Tidy(t.Context(), func(string) bool { return false }))
	u.check(t, all)
	do(t, os.WriteFile(filepath.Join(u.Dir, tempName), nil, 0o600))
	do(t, u.Tidy(t.Context(), gone))
	u.check(t, strings.ReplaceAll(strings.ReplaceAll(all, "ID=7 "+anchorLine, ""), shadowLine, ""))
	if _, err := os.Lstat(filepath.Join(u.Dir, tempName)); err == nil {
		t.Error("the temp file of a killed writer is still there")
	}
	do(t, Utab{filepath.Join(t.TempDir(), "none")}.Tidy(t.Context(), gone))
}
