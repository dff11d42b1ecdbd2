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

	"thinmount/lib/atomicfile"
	"thinmount/lib/mountinfo"
)

func none() Live  { return func(string, string) bool { return false } }
func every() Live { return func(string, string) bool { return true } }

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

// entry is a mount of the nth device, at a path that has to be escaped.
func entry(n int) Entry {
	return Entry{Source: "/dev/mapper/x" + strconv.Itoa(n), Target: "/mnt/a b", Root: "/",
		Spec: "p/v", Options: []string{"_netdev"}}
}

// anchorOf is the line of entry(n).
func anchorOf(n int) string {
	return "SRC=/dev/mapper/x" + strconv.Itoa(n) +
		` TARGET=/mnt/a\040b ROOT=/ OPTS=helper=thin,_netdev` + "\n"
}

// onlyMounted is a machine where the nth device is mounted.
func onlyMounted(n int) Look {
	return func() Live { return func(source, _ string) bool { return source == entry(n).Source } }
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

// A volume is mounted over another one, and unmounted.
func TestUtabLives(t *testing.T) {
	u := Utab{filepath.Join(t.TempDir(), "mount")}
	do(t, u.Add(t.Context(), entry(7), onlyMounted(7)))
	u.check(t, anchorOf(7)+shadowLine)
	do(t, u.Add(t.Context(), entry(8), onlyMounted(7)))
	u.check(t, anchorOf(7)+shadowLine+anchorOf(8)+shadowLine)
	do(t, u.Mend(t.Context(), entry(8), 1, every))
	u.check(t, anchorOf(7)+shadowLine+anchorOf(8)+shadowLine+shadowLine)
	do(t, u.Add(t.Context(), entry(8), onlyMounted(7))) // trims what umount(8) did not take
	u.check(t, anchorOf(7)+shadowLine+anchorOf(8)+shadowLine)
	do(t, u.Tidy(t.Context(), none))
	u.check(t, "")
}

// A mount that went without us leaves its lines; the next one clears them, at
// whatever target.
func TestUtabStale(t *testing.T) {
	u := Utab{t.TempDir()}
	for n := range 5 {
		do(t, u.Add(t.Context(), entry(n), none))
		u.check(t, anchorOf(n)+shadowLine)
	}
	other := Entry{Source: "/dev/mapper/y", Target: "/y", Root: "/", Spec: "p/y"}
	do(t, u.Mend(t.Context(), other, 0, none))
	u.check(t, other.anchor()+"\n"+shadow("p/y", "/y")+"\n")
}

// What is missing of a mount's lines is written, and nothing else.
func TestUtabMend(t *testing.T) {
	const theirs = "SRC=/dev/sda1 TARGET=/mnt/a\\040b ROOT=/ OPTS=user=joe\n"
	withSpec := strings.Replace(shadowLine, "p/v", "/dev/mapper/x", 1)
	for _, row := range []struct {
		name, before string
		spare        int
		after        string
	}{
		{"no file", "", 0, anchorLine + shadowLine},
		{"whole", anchorLine + shadowLine, 0, anchorLine + shadowLine},
		{"whole, and umount(8) takes one", anchorLine + shadowLine, 1,
			anchorLine + shadowLine + shadowLine},
		{"another umount(8) is about to take one, too", anchorLine + shadowLine + shadowLine, 1,
			anchorLine + shadowLine + shadowLine + shadowLine},
		{"umount(8) has taken the shadow", anchorLine, 0, anchorLine + shadowLine},
		{"another umount(8) has taken both", theirs, 0, anchorLine + theirs + shadowLine},
		{"the anchor alone is lost", theirs + shadowLine, 0, anchorLine + theirs + shadowLine},
		{"of an older version", "ID=7 " + anchorLine + shadowLine, 0, anchorLine + shadowLine},
		{"of another root", strings.Replace(anchorLine, "ROOT=/", "ROOT=/sub", 1) + shadowLine, 0,
			anchorLine + shadowLine},
		{"named otherwise", anchorLine + withSpec, 0, anchorLine + withSpec + shadowLine},
		{"a remount has overwritten the shadow",
			anchorLine + strings.Replace(shadowLine, "helper=thin", "x-a", 1), 0,
			anchorLine + strings.Replace(shadowLine, "helper=thin", "x-a", 1)},
	} {
		t.Run(row.name, func(t *testing.T) {
			u := Utab{t.TempDir()}
			do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(row.before), 0o644))
			e := entry(0)
			e.Source = "/dev/mapper/x"
			do(t, u.Mend(t.Context(), e, row.spare, every))
			u.check(t, row.after)
		})
	}
}

// A copy of a mount that goes costs the counted one no line; where it has none,
// none is made.
func TestUtabFeed(t *testing.T) {
	u := Utab{filepath.Join(t.TempDir(), "mount")}
	do(t, u.Feed(t.Context(), "/mnt/a b"))
	if _, err := os.Lstat(u.Dir); err == nil {
		t.Error("a folder was made")
	}
	do(t, u.Add(t.Context(), entry(1), none))
	do(t, u.Feed(t.Context(), "/other"))
	u.check(t, anchorOf(1)+shadowLine)
	do(t, u.Feed(t.Context(), "/mnt/a b"))
	u.check(t, anchorOf(1)+shadowLine+shadowLine)
}

// Lines of others stay, byte for byte, whatever they are.
// theirs draws a line that is not ours, among them such as look like ours.
var theirs = rapid.StringMatching(`[^\n]*|(ID=[0-9]+ )?SRC=/x TARGET=/mnt/a\\040b ROOT=/ ` +
	`OPTS=(user|x-a|helper=nfs|helper=thinner)`)

func TestUtabLinesOfOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "utab")
		do(t, err)
		defer os.RemoveAll(dir)
		u, others := Utab{dir}, ""
		for _, l := range rapid.SliceOf(theirs).Draw(t, "others") {
			others += l + "\n"
		}
		do(t, os.WriteFile(filepath.Join(dir, "utab"), []byte(others), 0o644))
		do(t, u.Add(context.Background(), entry(3), none))
		u.check(t, others+anchorOf(3)+shadowLine)
		do(t, u.Mend(context.Background(), entry(3), 1, every))
		do(t, u.Tidy(context.Background(), none))
		u.check(t, others)
	})
}

func TestUtabConcurrent(t *testing.T) {
	u := Utab{t.TempDir()}
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			e := Entry{Source: "s", Target: fmt.Sprint("/t", i), Root: "/", Spec: "p"}
			others := func() Live {
				return func(_, target string) bool { return target != e.Target }
			}
			for range 3 {
				if err := u.Add(t.Context(), e, every); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					if err := u.Tidy(t.Context(), others); err != nil {
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

// TestUtabTidy wants that the lines of a mount that is gone go, at whatever
// target, and those of others stay, byte by byte.
func TestUtabTidy(t *testing.T) {
	u := Utab{filepath.Join(t.TempDir(), "mount")}
	theirs := "SRC=nas:/x  TARGET=/nas ROOT=/ OPTS=_netdev\n"
	do(t, u.Add(t.Context(), entry(7), every))
	do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(theirs+u.content()), 0o644))
	other := Entry{Source: "/dev/mapper/y", Target: "/y", Root: "/", Spec: "p/y"}
	do(t, u.Mend(t.Context(), other, 1, every))
	all := u.content()
	look := func() Live { return func(source, _ string) bool { return source != entry(7).Source } }
	do(t, u.Tidy(t.Context(), every))
	u.check(t, all)
	do(t, os.WriteFile(atomicfile.Temp(filepath.Join(u.Dir, "utab")), nil, 0o600))
	do(t, u.Tidy(t.Context(), look))
	u.check(t, strings.ReplaceAll(strings.ReplaceAll(all, anchorOf(7), ""), shadowLine, ""))
	if _, err := os.Lstat(atomicfile.Temp(filepath.Join(u.Dir, "utab"))); err == nil {
		t.Error("the temp file of a killed writer is still there")
	}
	do(t, Utab{filepath.Join(t.TempDir(), "none")}.Tidy(t.Context(), look))
}
