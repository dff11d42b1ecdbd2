package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"thinmount/lib/fstype"
)

// TestCompletions looks for every command and long option in both completion
// files, and for options there that the program does not have.
// testdata/script/completion.txtar tests that bash offers the right ones in the
// right place.
func TestCompletions(t *testing.T) {
	app := newApp(&env{})
	commands := []string{}
	flags := append(longNames(app.Flags), "help")
	walk(app.Commands, "", func(_ string, c *cli.Command) {
		commands = append(append(commands, c.Name), c.Aliases...)
		flags = append(flags, longNames(c.Flags)...)
	})
	for _, file := range []string{"thin-snap.bash", "_thin-snap"} {
		raw, err := os.ReadFile("../../contrib/completion/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range regexp.MustCompile(
			`--([a-z][a-z-]+)`).FindAllStringSubmatch(string(raw), -1) {
			found = append(found, m[1])
		}
		sameSet(t, file, found, flags)
		words := strings.FieldsFunc(string(raw),
			func(r rune) bool { return !(r >= 'a' && r <= 'z') })
		for _, c := range commands {
			if !slices.Contains(words, c) {
				t.Errorf("%s lacks the command %s", file, c)
			}
		}
	}
}

func longNames(flags []cli.Flag) []string {
	return slices.DeleteFunc(flagNames(flags), func(n string) bool { return len(n) == 1 })
}

// TestFilesystems compares the completions and the manual pages with the list
// of filesystems.
func TestFilesystems(t *testing.T) {
	for _, row := range []struct {
		file, list string
		want       []string
	}{
		{"contrib/completion/thin-snap.bash", `--fs\) words='([a-z0-9 ]+)'`, fstype.Made()},
		{"contrib/completion/_thin-snap", `filesystems='\(([a-z0-9 ]+)\)'`, fstype.Made()},
		{"man/thin-snap.8", `(?s)Make this filesystem on the volume:(.*?)\.\n`, fstype.Made()},
		{"man/mount.thin.8", `(?s)Found by probing are(.*?)\.\n`, fstype.Mounted()},
	} {
		raw, err := os.ReadFile("../../" + row.file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(row.list).FindStringSubmatch(string(raw))
		if m == nil {
			t.Errorf("%s: no list of filesystems", row.file)
			continue
		}
		found := strings.FieldsFunc(m[1],
			func(r rune) bool { return strings.ContainsRune(" ,.\n", r) })
		found = slices.DeleteFunc(found,
			func(w string) bool { return w == "Cm" || w == "or" || w == "and" })
		if !slices.Equal(found, row.want) {
			t.Errorf("%s: %q, want %q", row.file, found, row.want)
		}
	}
}
