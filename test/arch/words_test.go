package arch

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// speaking are the calls whose first string is shown to a person, and spoken
// the fields that are. So is what a method String returns.
var (
	speaking = []string{"New", "Errorf", "Sprintf", "reason", "warn", "step", "full", "Hint",
		"Sayf", "Warnf"}
	spoken = []string{"What", "Reason", "Message"}
)

// messages calls f for each string literal of a file that is part of an error,
// a warning or a hint; first and last say whether the message begins and ends
// with it.
func messages(s source, f func(text string, first, last bool, n ast.Node)) {
	var part func(e ast.Expr, first, last bool)
	part = func(e ast.Expr, first, last bool) {
		switch e := e.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(e.Value); err == nil &&
				strings.HasPrefix(e.Value, `"`) {
				f(text, first, last, e)
			}
		case *ast.BinaryExpr:
			part(e.X, first, false)
			part(e.Y, false, last)
		}
	}
	say := func(e ast.Expr) { part(e, true, true) }
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ""
			switch fun := n.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			if slices.Contains(speaking, name) {
				for _, a := range n.Args {
					say(a)
				}
			}
		case *ast.FuncDecl:
			if n.Name.Name == "String" && n.Body != nil {
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						for _, result := range r.Results {
							say(result)
						}
					}
					return true
				})
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(spoken, key.Name) {
				say(n.Value)
			}
		}
		return true
	})
}

// countable are nouns that a message may have one of.
var countable = regexp.MustCompile(
	`%d (more |other |interrupted )?(volumes|pools|references|things|operations|` +
		`findings|snapshots|commands|devices|mounts|processes)\b`)

// misspoken says what is wrong with a message: it begins with an object or a
// reason in lower case and names no package, it has no period at its end, and
// does not speak of one thing as of several.
func misspoken(s source, text string, first, last bool) string {
	begin, _, _ := strings.Cut(text, " ")
	r := []rune(begin)
	switch {
	case first && strings.HasPrefix(text, path.Base(s.pkg())+": "):
		return "begins with the name of a package"
	case first && strings.Contains(text, " ") && len(r) > 1 && unicode.IsUpper(r[0]) &&
		unicode.IsLower(r[1]):
		return "begins with a capital letter"
	case last && strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "..") &&
		strings.Contains(text, " "):
		return "ends with a period"
	case strings.Contains(text, "failed to ") || strings.Contains(text, "unable to ") ||
		strings.Contains(text, "error while "):
		return "says that it failed, not why"
	case countable.MatchString(text):
		return "is wrong for one: use a word that counts"
	}
	return ""
}

func TestHouseMessages(t *testing.T) {
	seen := 0
	for _, s := range tree(t) {
		if s.test() || s.outside() {
			continue
		}
		messages(s, func(text string, first, last bool, n ast.Node) {
			seen++
			if wrong := misspoken(s, text, first, last); wrong != "" {
				t.Errorf("%s: %q %s", s.at(n), text, wrong)
			}
		})
	}
	if seen < 300 {
		t.Errorf("only %d messages were found", seen)
	}
}

func TestHouseMessagesFindsThem(t *testing.T) {
	for text, want := range map[string]string{
		`errors.New("dm: remove")`:                                           "package",
		`fmt.Errorf("Cannot do it: %w", err)`:                                "capital",
		`errors.New("it is broken.")`:                                        "period",
		`fmt.Errorf("failed to open: %w", err)`:                              "not why",
		`reason(ErrBusy, "has %d volumes", n)`:                               "for one",
		`Hint("Try it")`:                                                     "capital",
		`fault.Sayf("use %s, or wait now.", x)`:                              "period",
		"0\nfunc (x) String() string { return \"remove \" + x + \" now.\" }": "period",
		`fmt.Errorf("LUKS is on it: %w", err)`:                               "",
		`reason(ErrBusy, "has %d bytes", n)`:                                 "",
	} {
		s := parse(t, "lib/dm/x.go", fmt.Appendf(nil, "package dm\nvar _ = %s\n", text))
		got := ""
		messages(s, func(text string, first, last bool, _ ast.Node) {
			if got == "" {
				got = misspoken(s, text, first, last)
			}
		})
		if !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
