package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// riddles are turns of phrase behind which the subject hides: they say neither
// who does something nor what it is done to.
var riddles = regexp.MustCompile(`(?i)\b(whoever|whomever|all the same|in good hands|` +
	`is no (error|failure)|what nobody|sees? to it that|nobody is told|that is that)\b`)

// wrapped is where a comment goes on in the next line.
var wrapped = regexp.MustCompile(`\n(//|#) `)

// riddled returns the riddles in a text, which stands at a place.
func riddled(at, text string) (found []string) {
	text = strings.Join(strings.Fields(wrapped.ReplaceAllString(text, " ")), " ")
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

// literals calls f for each string of a file, and for each sum of strings as
// one text: a message may be wrapped within a riddle.
func (s source) literals(f func(text string, n ast.Node)) {
	var whole func(n ast.Node) string
	whole = func(n ast.Node) string {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				return text
			}
		case *ast.BinaryExpr:
			return whole(n.X) + whole(n.Y)
		}
		return ""
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if text := whole(n); text != "" {
			f(text, n)
		}
		return true
	})
}

// scripts are the files of the project that are read by other programs, and
// have words in them: scripts of tests, and programs of the shell.
func scripts(t *testing.T) (all []string) {
	t.Helper()
	for _, dir := range []string{"bench", "cmd", "contrib", "examples", "lib", "test"} {
		err := fs.WalkDir(top(), dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			switch ext := path.Ext(name); {
			case ext == ".txtar", ext == ".sh", ext == ".conf", ext == ".service",
				ext == "" && !strings.Contains(name, "/testdata/"):
				all = append(all, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestHousePhrases(t *testing.T) {
	seen, literals := 0, 0
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
		s.literals(func(literal string, n ast.Node) {
			literals++
			for _, problem := range riddled(s.at(n), literal) {
				t.Error(problem)
			}
		})
	}
	manual, err := fs.Glob(top(), "man/*.8")
	if err != nil || len(manual) == 0 {
		t.Fatalf("%d manual pages: %v", len(manual), err)
	}
	others := scripts(t)
	for _, page := range slices.Concat(pages(t), manual, others) {
		for _, problem := range riddled(page, text(t, page)) {
			t.Error(problem)
		}
	}
	if seen < 1000 || literals < 5000 || len(others) < 60 {
		t.Errorf("only %d comments, %d strings and %d scripts were seen", seen, literals,
			len(others))
	}
}

func TestHousePhrasesFindsThem(t *testing.T) {
	for text, want := range map[string]int{
		"// Whoever\n// writes, waits all\n// the same.": 2, "// A command that writes waits.": 0,
		"That it is gone is no error.": 1, "There is no error.": 0,
		"# it is mounted all\n# the same": 1,
	} {
		if got := riddled("x", text); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	found := 0
	s := parse(t, "lib/dm/x.go",
		[]byte("package dm\nvar _ = say(`it waits: `+x+\"who\"+\n\"ever\")"))
	s.literals(func(text string, n ast.Node) { found += len(riddled(s.at(n), text)) })
	if found == 0 {
		t.Error("a riddle that is wrapped was not found")
	}
}
