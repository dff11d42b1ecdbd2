package mount

import (
	"errors"
	"golang.org/x/sys/unix"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestQuotedOptionsStayValues takes no part of a quoted value for an option.
func TestQuotedOptionsStayValues(t *testing.T) {
	for _, word := range []string{
		`context="a,suid,dev"`, `x="nofail,_netdev,user,remount"`, `x="ro,discard"`,
		`x="helper=nfs,x-y"`, `x="loop,bind"`, `context="system_u:object_r:tmp_t:s0:c127,c456"`,
		`x=\054suid`, `x=a\134`,
	} {
		want := Options{FS: []string{word}}
		if got, err := ParseOptions(word); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
		got, err := ParseOptions("nosuid," + word + ",nodev")
		if err != nil || len(got.FS) != 1 || got.FS[0] != word ||
			got.Flags != unix.MS_NOSUID|unix.MS_NODEV {
			t.Errorf("between others, %s: %+v, %v", word, got, err)
		}
	}
	// mount(8) never escapes a comma by a backslash: that one separates.
	if got, err := ParseOptions(`x=a\,suid`); err != nil || len(got.FS) != 1 ||
		got.FS[0] != `x=a\` {
		t.Errorf("%+v, %v", got, err)
	}
	for _, s := range []string{"x=a\nsuid", "x=\"a\nb\"", "nofail\n", "x=\x00"} {
		if got, err := ParseOptions(s); !errors.Is(err, errOption) {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}

// mount(2) knows no quotes: there, what has a comma is refused, but for
// contexts.
func TestOldMountSplitsNoValue(t *testing.T) {
	for _, c := range []struct{ options, want string }{
		{`data=ordered|x="y z"|flag`, "data=ordered,x=y z,flag"},
		{`context="a:s0:c1,c2"|fscontext="b,c"|x=y`, `context="a:s0:c1,c2",fscontext="b,c",x=y`},
		{`x="a,errors=panic"`, ""}, {`"a,b"`, ""}, {`x=y|z="1,2"`, ""},
	} {
		got, err := joinOptions(strings.Split(c.options, "|"))
		if got != c.want || (err != nil) != (c.want == "") ||
			err != nil && !errors.Is(err, errOption) {
			t.Errorf("%s: %q, %v; want %q", c.options, got, err, c.want)
		}
	}
}

// mount(2) reads one page, and would mount with what is in it.
func TestOldMountFillsNoPage(t *testing.T) {
	most := strings.Repeat("x", os.Getpagesize()-1)
	if got, err := joinOptions([]string{most}); got != most || err != nil {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	if _, err := joinOptions([]string{most[2:], "ro"}); !errors.Is(err, errOption) {
		t.Errorf("a byte more: %v", err)
	}
}

// Names with anything in them make two lines of utab that say what they are,
// and nothing that libmount would take for another line, token or option.
func TestUtabSmugglesNothing(t *testing.T) {
	for _, name := range []string{
		"/mnt\nSRC=x TARGET=/ ROOT=/ OPTS=user", "/mnt OPTS=user=joe", "/mnt\tROOT=/.thin-shadow",
		`/mnt\040OPTS=user`, `/mnt\`, `/m\012n`,
		"/mnt,user", `/mnt"`, "/mnt#x", "/mnt\rx", "/mnt\u00a0x", "/mnt\vx", "/\xff\xfe",
	} {
		u := Utab{t.TempDir()}
		theirs := "SRC=nas:/x TARGET=/nas ROOT=/ OPTS=_netdev\n"
		do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(theirs), 0o644))
		e := Entry{Source: "/dev/mapper/x", Target: name, Root: "/", Spec: "p/v" + name,
			Options: []string{"_netdev"}}
		do(t, u.Add(t.Context(), e, none))
		lines := strings.Split(strings.TrimSuffix(u.content(), "\n"), "\n")
		if len(lines) != 3 || lines[0]+"\n" != theirs {
			t.Errorf("%q: %q", name, lines)
			continue
		}
		if got, want := parseLine(lines[1]), (line{"", e.Source, name, "/",
			"helper=thin,_netdev"}); got != want {
			t.Errorf("%q: %+v", name, got)
		}
		if got, want := parseLine(lines[2]), (line{"", e.Spec, name, shadowRoot,
			"helper=thin"}); got != want {
			t.Errorf("%q: %+v", name, got)
		}
		for n, tokens := range []int{4, 4, 4} {
			if got := len(strings.FieldsFunc(lines[n], blank)); got != tokens {
				t.Errorf("%q: %d tokens in %q", name, got, lines[n])
			}
		}
		do(t, u.Tidy(t.Context(), none))
		u.check(t, theirs)
	}
}
