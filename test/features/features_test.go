package main

import (
	"os"
	"path/filepath"
	"testing"
)

const lines = `fail bookworm test/systems TestBoot2/fstab/mounts_at_boot
pass bookworm test/systems TestBoot2/fstab/mounts_at_boot
pass trixie test/systems TestBoot2/fstab/mounts_at_boot
pass trixie test/systems TestBoot1/fstab/a_or_b
fail trixie test/systems TestBoot2/fstab/a_or_b
pass trixie test/systems TestBoot2/udev/in_a|b|c
pass trixie lib/dm TestBoot1Udev
pass trixie lib/dm TestKernelThings/fstab/is_none
pass sid lib/dm TestBoot1Udev/boot/first
`

const table = `|  | bookworm | trixie | forky | sid |
| --- | --- | --- | --- | --- |
| **boot** |  |  |  |  |
| first | not run | not run | not run | works |
| **fstab** |  |  |  |  |
| a or b | not run | **fails** | not run | not run |
| mounts at boot | works | works | not run | not run |
| **udev** |  |  |  |  |
| in a/b/c | not run | works | not run | not run |
`

// files makes a folder of results and a document, and returns their paths.
func files(t *testing.T, text, doc string) (dir, file string) {
	t.Helper()
	top := t.TempDir()
	dir, file = filepath.Join(top, "results"), filepath.Join(top, "doc.md")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(dir, "a"): text, filepath.Join(dir, "empty"): "", file: doc,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, file
}

func TestTable(t *testing.T) {
	dir, file := files(t, lines, "above\n"+begin+"old\n"+end+"below\n")
	if err := run(dir, file, true); err == nil {
		t.Error("check of another table: want an error")
	}
	if err := run(dir, file, false); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "above\n" + begin + table + end + "below\n"; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := run(dir, file, true); err != nil {
		t.Errorf("check of what was written: %v", err)
	}
}

func TestRefused(t *testing.T) {
	good := begin + end
	for name, c := range map[string]struct{ text, doc string }{
		"no features":       {"pass trixie lib/dm TestKernelX\n", good},
		"nothing":           {"", good},
		"not a verdict":     {"skip trixie lib/dm TestBoot1/a/b\n", good},
		"a word more":       {"pass trixie lib/dm TestBoot1/a/b c\n", good},
		"blank line":        {lines + "\n", good},
		"no markers":        {lines, "words\n"},
		"two tables":        {lines, good + good},
		"two beginnings":    {lines, begin + good},
		"end before begins": {lines, end + begin},
	} {
		t.Run(name, func(t *testing.T) {
			dir, file := files(t, c.text, c.doc)
			if err := run(dir, file, false); err == nil {
				t.Error("want an error")
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != c.doc {
				t.Errorf("the document is now %q, %v", got, err)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	if got, want := difference("a\nb\n", "a\nc\n"), "- b\n+ c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDocument finds the place of the table in the file that `make features`
// writes: a machine takes an hour to come to it.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("../..", document))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replace(string(text), table); err != nil {
		t.Errorf("%s: %v", document, err)
	}
}
