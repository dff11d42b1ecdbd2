package arch

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// riddles are turns of phrase behind which the subject hides: they say neither
// who does something nor what it is done to.
var riddles = regexp.MustCompile(`(?i)\b(whoever|whomever|all the same|in good hands|` +
	`is no (error|failure)|what nobody|sees? to it that|nobody is told|that is that)\b`)

// riddled returns the riddles in a text, which stands at a place.
func riddled(at, text string) (found []string) {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\n// ", " ")), " ")
	for _, m := range riddles.FindAllStringIndex(text, -1) {
		if strings.HasSuffix(strings.ToLower(text[:m[0]]), "there ") { // is no error
			continue
		}
		found = append(found, fmt.Sprintf("%s: %q: say who does what", at, text[m[0]:m[1]]))
	}
	return found
}

// comments calls f for each comment of a file.
func (s source) comments(f func(text string, n ast.Node)) {
	for _, c := range s.file.Comments {
		text := ""
		for _, line := range c.List {
			text += line.Text + "\n"
		}
		f(text, c)
	}
}

func TestHousePhrases(t *testing.T) {
	seen := 0
	for _, s := range tree(t) {
		if path.Base(s.path) == "phrases_test.go" {
			continue
		}
		s.comments(func(comment string, n ast.Node) {
			seen++
			for _, problem := range riddled(s.at(n), comment) {
				t.Error(problem)
			}
		})
	}
	manual, err := fs.Glob(top(), "man/*.8")
	if err != nil || len(manual) == 0 {
		t.Fatalf("%d manual pages: %v", len(manual), err)
	}
	for _, page := range append(pages(t), manual...) {
		for _, problem := range riddled(page, text(t, page)) {
			t.Error(problem)
		}
	}
	if seen < 1000 {
		t.Errorf("only %d comments were seen", seen)
	}
}

func TestHousePhrasesFindsThem(t *testing.T) {
	for text, want := range map[string]int{
		"// Whoever\n// writes, waits all\n// the same.": 2, "// A command that writes waits.": 0,
		"That it is gone is no error.": 1, "There is no error.": 0,
	} {
		if got := riddled("x", text); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
