package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
)

// source is a Go file of this project.
type source struct {
	path string // from the top, as in lib/dm/list.go
	file *ast.File
	set  *token.FileSet
}

// pkg is the folder of the file.
func (s source) pkg() string { return path.Dir(s.path) }

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// outside says that the file tests or measures the programs, and is no part of
// them.
func (s source) outside() bool {
	return strings.HasPrefix(s.path, "test/") || strings.HasPrefix(s.path, "bench/")
}

// at says where a node stands.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// imports are the paths that the file imports.
func (s source) imports() []string {
	var paths []string
	for _, i := range s.file.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// selectors calls f for each x.name in the file.
func (s source) selectors(f func(x, name string, n ast.Node)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			x, _ := sel.X.(*ast.Ident)
			if x == nil {
				x = &ast.Ident{}
			}
			f(x.Name, sel.Sel.Name, n)
		}
		return true
	})
}

func parse(t *testing.T, name string, text []byte) source {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{name, file, set}
}

// top is the project's folder.
func top() fs.FS { return os.DirFS("../..") }

// tree parses every Go file of the project, whatever its build tags.
func tree(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, dir := range []string{"bench", "cmd", "lib", "test"} {
		err := fs.WalkDir(top(), dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" {
				return err
			}
			text, err := fs.ReadFile(top(), name)
			all = append(all, parse(t, name, text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
