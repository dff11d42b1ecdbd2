package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// walk calls f for every command. path has the words that call the command.
func walk(commands []*cli.Command, path string, f func(path string, c *cli.Command)) {
	for _, c := range commands {
		words := strings.TrimSpace(path + " " + c.Name)
		f(words, c)
		walk(c.Subcommands, words, f)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it):\n%s", name, got)
	}
}

// TestHelp compares all help texts with one file, in which they can be read.
func TestHelp(t *testing.T) {
	var b strings.Builder
	help := func(path string) {
		b.WriteString("$ thin-snap " + strings.TrimSpace(path+" --help") + "\n")
		if code := run(append(append([]string{"thin-snap"}, strings.Fields(path)...), "--help"),
			env{stdout: &b, stderr: &b}); code != 0 {
			t.Errorf("%s --help: status %d", path, code)
		}
		b.WriteString("\n")
	}
	help("")
	walk(newApp(&env{}).Commands, "", func(path string, _ *cli.Command) { help(path) })
	golden(t, "help.golden", b.String())
}

// A description is printed behind three blanks, in a terminal of 80 columns.
const descriptionWidth = 76

// TestHelpIsComplete wants that the help of every command says what it is for
// and how it is called, and gives an example.
func TestHelpIsComplete(t *testing.T) {
	walk(newApp(&env{}).Commands, "", func(path string, c *cli.Command) {
		if c.Usage == "" || !strings.HasPrefix(c.UsageText, "thin-snap "+path+" ") &&
			c.UsageText != "thin-snap "+path {
			t.Errorf("%s: usage %q", path, c.UsageText)
		}
		if len(c.Subcommands) == 0 && !strings.Contains(c.Description, "\n\n   ") {
			t.Errorf("%s: no example in %q", path, c.Description)
		}
		for line := range strings.SplitSeq(c.Description, "\n") {
			if utf8.RuneCountInString(line) > descriptionWidth {
				t.Errorf("%s: a line of its description is too wide: %s", path, line)
			}
		}
	})
}
