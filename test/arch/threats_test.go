package arch

import (
	"go/ast"
	"regexp"
	"testing"
)

// The tests that docs/threats.md and CONTRIBUTING.md name exist.
func TestHouseNamedTestsExist(t *testing.T) {
	there := map[string]bool{}
	for _, s := range tree(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test() {
				there[f.Name.Name] = true
			}
		}
	}
	for page, pattern := range map[string]string{
		"docs/threats.md": `\b((?:Test|Fuzz)[A-Z]\w*)`,
		"CONTRIBUTING.md": "`((?:Test|Fuzz)[A-Z]\\w*)`", // beginnings of names stand there, too
	} {
		named := regexp.MustCompile(pattern).FindAllStringSubmatch(text(t, page), -1)
		if len(named) < 15 {
			t.Errorf("%s: only %d tests are named", page, len(named))
		}
		for _, name := range named {
			if !there[name[1]] {
				t.Errorf("%s: there is no %s", page, name[1])
			}
		}
	}
}

// Every fuzz target asserts something: one that only looks for panics passes
// for a parser that returns nonsense.
func TestHouseFuzzTargetsAssert(t *testing.T) {
	for _, s := range tree(t) {
		for _, problem := range toothless(s) {
			t.Error(problem)
		}
	}
}

// toothless returns the fuzz targets whose function has a body that cannot
// fail.
func toothless(s source) (found []string) {
	if !s.test() {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		sel, _ := call.Fun.(*ast.SelectorExpr)
		body, _ := call.Args[0].(*ast.FuncLit)
		if sel == nil || body == nil || sel.Sel.Name != "Fuzz" {
			return true
		}
		asserts := false
		ast.Inspect(body, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Error", "Errorf", "Fatal", "Fatalf":
					asserts = true
				}
			}
			return true
		})
		if !asserts {
			found = append(found, s.at(call)+": fuzzes, and asserts nothing")
		}
		return true
	})
	return found
}
