package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestCompletions looks for every command and long option in both files, and for options there that the program does not have.
// That bash offers the right ones in the right place is in testdata/script/completion.txtar.
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
		for _, m := range regexp.MustCompile(`--([a-z][a-z-]+)`).FindAllStringSubmatch(string(raw), -1) {
			found = append(found, m[1])
		}
		sameSet(t, file, found, flags)
		words := strings.FieldsFunc(string(raw), func(r rune) bool { return !(r >= 'a' && r <= 'z') })
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
