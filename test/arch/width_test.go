package arch

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

// Columns that a line of source may take, where a tab takes four.
const (
	commentWidth = 80
	codeWidth    = 100
	tabWidth     = 4
)

// wide returns the lines of a file that are too wide: those of comments, and
// all others. What a comment shows as it stands, indented, has the width of
// code.
func wide(name, text string) (found []string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		limit, bare := codeWidth, strings.TrimLeft(line, "\t")
		if strings.HasPrefix(bare, "// ") {
			limit = commentWidth
		}
		width := utf8.RuneCountInString(line) + (tabWidth-1)*strings.Count(line, "\t")
		if width > limit {
			found = append(found, fmt.Sprintf("%s:%d: %d columns of %d", name, n, width, limit))
		}
	}
	return found
}

func TestHouseWidth(t *testing.T) {
	for _, s := range tree(t) {
		text, err := fs.ReadFile(top(), s.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range wide(s.path, string(text)) {
			t.Error(problem)
		}
	}
}

func TestHouseWidthFindsThem(t *testing.T) {
	x := func(n int) string { return strings.Repeat("ä", n) }
	for text, want := range map[string]int{
		"// " + x(77): 0, "// " + x(78): 1, "\t// " + x(73): 0, "\t// " + x(74): 1,
		x(100): 0, x(101): 1, "\t" + x(96): 0, "\t" + x(97) + "\n" + x(101): 2,
		"//\t" + x(90): 0, "//\t" + x(95): 1, "//go:build " + x(80): 0,
	} {
		if got := wide("x.go", text); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
