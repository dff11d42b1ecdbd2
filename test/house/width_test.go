package house

import (
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

const docsWidth = 100

// The documents are read in terminals: their prose and their code are at most
// docsWidth columns wide. A row of a table cannot be broken.
func TestHouseDocsWidth(t *testing.T) {
	pages, err := fs.Glob(top(), "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") {
		n := 0
		for line := range strings.Lines(text(t, page)) {
			n++
			line = strings.TrimSuffix(line, "\n")
			if width := utf8.RuneCountInString(line); width > docsWidth && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d: %d columns", page, n, width)
			}
		}
	}
}
