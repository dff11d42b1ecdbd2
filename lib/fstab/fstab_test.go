package fstab

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"
)

func TestParseLine(t *testing.T) {
	for line, want := range map[string]Entry{
		"":         {},
		" \t":      {},
		"\r":       {},
		"# a b c":  {},
		" \t# a b": {},
		"/dev/a /mnt/a ext4 rw,ro 0 1": {
			Spec: "/dev/a", Dir: "/mnt/a", Type: "ext4", Options: "rw,ro",
		},
		" \t/dev/a\t \t/mnt/a ext4\trw ": {
			Spec: "/dev/a", Dir: "/mnt/a", Type: "ext4", Options: "rw",
		},
		"p/v /m thin": {
			Spec: "p/v", Dir: "/m", Type: "thin", Options: "defaults",
		},
		"p/v /m thin\r": {
			Spec: "p/v", Dir: "/m", Type: "thin", Options: "defaults",
		},
		`p/v /m\040\011\134040 t\054h a\054b`: {
			Spec: "p/v", Dir: "/m \t\\040", Type: "t,h", Options: "a,b",
		},
		`\04x\8 \100\1 t\080 o`: {
			Spec: `\04x\8`, Dir: `@\1`, Type: `t\080`, Options: "o",
		},
		`\043p \777 t\08 o\`: {
			Spec: "#p", Dir: "\xff", Type: `t\08`, Options: `o\`,
		},
		`a\000b c t \000`: {
			Spec: "a", Dir: "c", Type: "t", Options: "defaults",
		},
		"a b c d -1 +2":                      {Spec: "a", Dir: "b", Type: "c", Options: "d"},
		"a b c d 99999999999999999999 0 # x": {Spec: "a", Dir: "b", Type: "c", Options: "d"},
		"a#b c#d e #f":                       {Spec: "a#b", Dir: "c#d", Type: "e", Options: "#f"},
		"a\u00a0b c\vd e f": {
			Spec: "a\u00a0b", Dir: "c\vd", Type: "e", Options: "f",
		},
		`LABEL="x" /m thin a="b,c",d`: {
			Spec: `LABEL="x"`, Dir: "/m", Type: "thin", Options: `a="b,c",d`,
		},
		"nas:/export /srv nfs4 _netdev,soft 0 0 \r": {
			Spec: "nas:/export", Dir: "/srv", Type: "nfs4", Options: "_netdev,soft",
		},
	} {
		if got, reason := parseLine(line); got != want || reason != "" {
			t.Errorf("%q: %+v, %s", line, got, reason)
		}
	}
	for line, want := range map[string]string{
		"a": "no mount point", "a b": "no mount point", "a b\r": "no mount point",
		"a b c d e": `freq is no number: "e"`, "a b c d 1 2x": `passno is no number: "2x"`,
		"a b c d 0x1": "freq", "a b c d +": "freq", "a b c d 1-": "freq", "a b c d #": "freq",
		"a b c \x00d": "NUL",
	} {
		if got, reason := parseLine(line); got != (Entry{}) || !strings.Contains(reason, want) {
			t.Errorf("%q: %+v, %s", line, got, reason)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader("# x\n\na b c d\nbad\n a b c\r\nworse x\ne f g h 0 0"))
	want := []Entry{
		{"a", "b", "c", "d", 3}, {"a", "b", "c", "defaults", 5}, {"e", "f", "g", "h", 7},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if err == nil || err.Error() !=
		"line 4: has no mount point or no type\nline 6: has no mount point or no type" {
		t.Error(err)
	}
	if first := (*LineError)(nil); !errors.As(err, &first) || first.Line != 4 {
		t.Errorf("%v", first)
	}
	if got, err := parse(strings.NewReader("a b c d\x00e f")); len(got) != 1 ||
		got[0].Options != "d" || err != nil {
		t.Errorf("NUL in the last line: %+v, %v", got, err)
	}
	if got, err := parse(iotest.ErrReader(unix.EIO)); got != nil || !errors.Is(err, unix.EIO) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestParseSize(t *testing.T) {
	line := "a b c d\n"
	text := line + strings.Repeat("#", maxSize-len(line))
	if got, err := parse(strings.NewReader(text)); len(got) != 1 || err != nil {
		t.Errorf("at the limit: %v, %v", got, err)
	}
	if got, err := parse(
		io.MultiReader(strings.NewReader(text), strings.NewReader("#")),
	); got != nil || !errors.Is(err, errTooLarge) {
		t.Errorf("above it: %v, %v", got, err)
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fstab")
	if got, err := Read(path); got != nil || err != nil {
		t.Errorf("missing: %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("a b c\nbad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if !slices.Equal(got, []Entry{{"a", "b", "c", "defaults", 1}}) || err == nil ||
		err.Error() != path+": line 2: has no mount point or no type" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Read(path + "/x"); got != nil || !errors.Is(err, unix.ENOTDIR) ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a file: %v, %v", got, err)
	}
	fifo := path + ".fifo"
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, odd := range []string{fifo, filepath.Dir(path), "/dev/null"} {
		if got, err := Read(odd); got != nil || err == nil ||
			!strings.Contains(err.Error(), "is no regular file") {
			t.Errorf("%s: %v, %v", odd, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/fstab/*")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := parse(bytes.NewReader(text))
		last, lines := 0, bytes.Split(text, []byte("\n"))
		for _, e := range entries {
			if e.Line <= last || e.Line > len(lines) || e.Options == "" ||
				strings.ContainsAny(e.Spec+e.Dir+e.Type+e.Options, "\x00") {
				t.Errorf("%+v", e)
			}
			last = e.Line
		}
		// An entry that is written again, escaped, must be read as the same.
		for _, e := range entries {
			again, reason := parseLine(escape(e.Spec) + " " + escape(e.Dir) + "\t" +
				escape(e.Type) + " " + escape(e.Options))
			if e.Line = 0; e.Spec != "" && e.Dir != "" && e.Type != "" &&
				(again != e || reason != "") {
				t.Errorf("%+v, again %+v, %s", e, again, reason)
			}
		}
		if len(entries) > 0 && errors.Is(err, errTooLarge) {
			t.Error("entries of a file that is too large")
		}
	})
}

// escape writes each byte of s as a backslash and three octal digits.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
	}
	return b.String()
}
