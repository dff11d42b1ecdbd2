package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// skips returns the places where a test can end without a verdict: in CI that
// is a hole which nobody sees.
func skips(s source) (found []string) {
	if !s.test() {
		return nil
	}
	s.selectors(func(x, name string, n ast.Node) {
		switch {
		case name == "Skip", name == "Skipf", name == "SkipNow", x == "testing" && name == "Short":
			found = append(found, fmt.Sprintf("%s: %s.%s", s.at(n), x, name))
		}
	})
	return found
}

var skipLine = regexp.MustCompile(`^(\[[^]]*\] *)*(skip|stop)\b`)

// scriptSkips does the same for a testscript: its conditions are for skips.
func scriptSkips(name, text string) (found []string) {
	script, _, _ := strings.Cut("\n"+text, "\n-- ")
	for n, line := range strings.Split(script, "\n") {
		if skipLine.MatchString(strings.TrimSpace(line)) {
			found = append(found, fmt.Sprintf("%s:%d: %s", name, n, line))
		}
	}
	return found
}

// untagged returns kernel and oracle tests in a file without the build tag that
// keeps them out of the pure tests.
func untagged(s source) (found []string) {
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !s.test() {
			continue
		}
		for prefix, tag := range map[string]string{
			"TestKernel": "kernel", "TestSystemd": "kernel", "TestBoot": "kernel",
			"TestOracle": "oracle",
		} {
			if strings.HasPrefix(f.Name.Name, prefix) && !tagged(s, tag) {
				found = append(found,
					fmt.Sprintf("%s: %s without //go:build %s", s.at(f), f.Name.Name, tag))
			}
		}
	}
	return found
}

func tagged(s source, tag string) bool {
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:build ") && strings.Contains(c.Text, tag) {
				return true
			}
		}
	}
	return false
}

// locksFirst has the init function that there is: main stays on the first
// thread only if its lock is taken before it begins.
const locksFirst = "lib/helper/exit.go"

// inits returns the functions that run before main.
func inits(s source) (found []string) {
	if s.path == locksFirst {
		return nil
	}
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" && !s.test() {
			found = append(found, s.at(f)+": init")
		}
	}
	return found
}

// compared returns the places where an err is compared with an errno or a
// sentinel by == or in a switch: a wrapped one is none of them. A value of type
// unix.Errno has another name.
func compared(s source) (found []string) {
	if s.test() || s.outside() {
		return nil
	}
	isErr := func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return ok && name.Name == "err"
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			_, other := n.Y.(*ast.SelectorExpr)
			if (n.Op == token.EQL || n.Op == token.NEQ) && isErr(n.X) && other {
				found = append(found, s.at(n)+": err is compared, not looked for with errors.Is")
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && isErr(n.Tag) {
				found = append(found, s.at(n)+": switch err")
			}
		}
		return true
	})
	return found
}

func TestHouseTestsDecide(t *testing.T) {
	for _, s := range tree(t) {
		for _, check := range []func(source) []string{skips, untagged, inits, compared} {
			for _, problem := range check(s) {
				t.Error(problem)
			}
		}
	}
}

func TestHouseScriptsDecide(t *testing.T) {
	for _, dir := range []string{"bench", "cmd", "lib", "test"} {
		err := fs.WalkDir(top(), dir, func(name string, d fs.DirEntry, err error) error {
			if ext := path.Ext(name); err != nil || d.IsDir() || ext != ".txtar" && ext != ".txt" {
				return err
			}
			text, err := fs.ReadFile(top(), name)
			for _, problem := range scriptSkips(name, string(text)) {
				t.Error(problem)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
