package arch

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// How large a package may be without its tests: nobody reads a larger one as a
// whole. Lines of comments do not count: they are there to help the reader. A
// package of more files explains in doc.go which is which.
const (
	mostLines = 2700
	mostFiles = 30
)

// size is what a package has.
type size struct {
	lines, files int    // lines without those that are comments alone
	doc          string // text of its doc.go
}

// codeLines counts the lines of a file that are not a comment alone.
func codeLines(text []byte) (n int) {
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("//")) {
			n++
		}
	}
	return n
}

// tooLarge returns the packages that are too large.
func tooLarge(sizes map[string]size) (found []string) {
	for pkg, s := range sizes {
		if s.lines > mostLines {
			found = append(found,
				fmt.Sprintf("%s has %d lines of code of %d", pkg, s.lines, mostLines))
		}
		if s.files > mostFiles && strings.Count(s.doc, ".go") < 10 {
			found = append(found,
				fmt.Sprintf("%s has %d files, and doc.go does not say which is which", pkg,
					s.files))
		}
	}
	slices.Sort(found)
	return found
}

func TestHouseSizes(t *testing.T) {
	sizes := map[string]size{}
	for _, s := range tree(t) {
		if s.test() || s.outside() {
			continue
		}
		text, err := fs.ReadFile(top(), s.path)
		if err != nil {
			t.Fatal(err)
		}
		all := sizes[s.pkg()]
		all.files++
		all.lines += codeLines(text)
		if path.Base(s.path) == "doc.go" {
			all.doc = string(text)
		}
		sizes[s.pkg()] = all
	}
	if len(sizes) < 20 {
		t.Fatalf("only %d packages were found", len(sizes))
	}
	for _, problem := range tooLarge(sizes) {
		t.Error(problem)
	}
}

func TestHouseSizesFindsThem(t *testing.T) {
	found := tooLarge(map[string]size{
		"a": {lines: mostLines, files: mostFiles}, "b": {lines: mostLines + 1},
		"c": {files: mostFiles + 1, doc: "x.go"},
		"d": {files: mostFiles + 1, doc: strings.Repeat("x.go ", 10)},
	})
	if len(found) != 2 || !strings.HasPrefix(found[0], "b ") || !strings.HasPrefix(found[1], "c ") {
		t.Errorf("%q", found)
	}
	if n := codeLines([]byte("// A b\n\tx() // c\n\n\t// d\n}\n")); n != 3 {
		t.Errorf("%d lines of code", n)
	}
}
