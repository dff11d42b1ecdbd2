package house

import (
	"go/ast"
	"io/fs"
	"regexp"
	"testing"
)

// The tests that docs/threats.md names exist.
func TestHouseThreatsAreTested(t *testing.T) {
	text, err := fs.ReadFile(top(), "docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, s := range tree(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test() {
				there[f.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w*`).FindAllString(string(text), -1)
	if len(named) < 20 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if !there[name] {
			t.Errorf("docs/threats.md: there is no %s", name)
		}
	}
}

// Every fuzz target asserts something: one that only looks for panics passes for a parser that returns nonsense.
func TestHouseFuzzTargetsAssert(t *testing.T) {
	for _, s := range tree(t) {
		for _, problem := range toothless(s) {
			t.Error(problem)
		}
	}
}

// toothless returns the fuzz targets whose function has a body that cannot fail.
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
