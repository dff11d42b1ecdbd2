package arch

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ownCommand is how a command of ours begins that somebody is to type.
var ownCommand = regexp.MustCompile(`thin-snap |mount -t thin|mount\.thin `)

// spokenOf are texts that speak of a program of ours, and have nobody type it.
var spokenOf = map[string]bool{
	"release it; no command of thin-snap needs it any more":               true,
	"mount.thin is not setuid, so the option user is of no use: ask root": true,
}

// commands returns the strings in a file below lib that have a command of ours
// in them. Errors carry a fault.Remedy, and lib/helper alone puts it into
// words: who imports the library has commands of his own.
func commands(s source) (found []string) {
	if s.test() || !strings.HasPrefix(s.path, "lib/") || s.pkg() == "lib/helper" {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && ownCommand.MatchString(text) &&
			!spokenOf[text] {
			found = append(found, s.at(lit)+": "+text)
		}
		return true
	})
	return found
}

func TestHouseCommands(t *testing.T) {
	for _, s := range tree(t) {
		for _, problem := range commands(s) {
			t.Error(problem)
		}
	}
}

func TestHouseCommandsFindsThem(t *testing.T) {
	for text, found := range map[string]bool{
		`"thin-snap list " + pool`: true, "`mount -t thin p/v`": true,
		`"use mount -t thin." + fs`: true, `"umount.thin " + dir`: true,
		`"mount -o ro"`: false, `"thin-snap"`: false, `"/run/thin"`: false,
	} {
		s := parse(t, "lib/pools/x.go", []byte("package pools\nvar _ = "+text+"\n"))
		if got := commands(s); (len(got) > 0) != found {
			t.Errorf("%s: %q", text, got)
		}
	}
}
