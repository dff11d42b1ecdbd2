package inspect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
)

// parsed returns the files of a package without its tests.
func parsed(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// TestEveryRepairHasATask compares the types of check.Repair with the cases of
// repairs.task: each type has a case of its own.
func TestEveryRepairHasATask(t *testing.T) {
	types := map[string]bool{}
	for _, f := range parsed(t, "../check") {
		for _, d := range f.Decls {
			if fn, is := d.(*ast.FuncDecl); is && fn.Recv != nil && fn.Name.Name == "repair" {
				types[fn.Recv.List[0].Type.(*ast.Ident).Name] = true
			}
		}
	}
	cases := map[string]int{}
	for _, f := range parsed(t, ".") {
		for _, d := range f.Decls {
			if fn, is := d.(*ast.FuncDecl); is && fn.Name.Name == "task" {
				ast.Inspect(fn, func(n ast.Node) bool {
					if c, is := n.(*ast.CaseClause); is {
						for _, e := range c.List {
							cases[e.(*ast.SelectorExpr).Sel.Name] += len(c.List)
						}
					}
					return true
				})
			}
		}
	}
	if len(types) < 20 {
		t.Fatalf("only %d types of repairs were found", len(types))
	}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if cases[name] != 1 {
			t.Errorf("check.%s has no case of its own in repairs.task", name)
		}
	}
}

// TestTasksHaveSteps wants a step and a function of each task, in the step that
// a repair needs.
func TestTasksHaveSteps(t *testing.T) {
	r := &repairs{begun: map[string]bool{}}
	for want, all := range map[step][]check.Repair{
		atMetadata:    {check.RunThinCheck{}},
		atRecords:     {check.RemoveRecord{}, check.SetSize{}, check.NameID{}},
		atTransaction: {check.TakeOver{}, check.ForgetIntent{}},
		atResume:      {check.Resume{Part: "pool"}},
		atSnapshot:    {check.ReleaseSnapshot{}},
		atIntents:     {check.FinishDelete{}, check.UndoCreate{}},
		atDevices: {check.Resume{}, check.RemoveDevice{}, check.RemoveNode{},
			check.RemoveLink{}},
		atParts: {check.RemoveDevice{Part: "data"}},
		atFiles: {check.RemoveTemp{}, check.RemoveTemp{Temp: catalog.Temp{Volume: "v"}},
			check.RemoveEntry{Entry: refcount.Entry{Volume: spec.Volume{Name: "v"}}},
			check.CorrectRecord{},
			check.WriteLines{}, check.RemoveLines{}},
		atStrays: {check.RemoveFolder{}, check.RemoveStrayNode{}, check.RemoveLinks{},
			check.RemoveStrayEntry{}},
		atHead: {check.ReserveHead{}},
	} {
		for _, repair := range all {
			if got := r.task(repair); got.step != want || got.do == nil {
				t.Errorf("%#v: step %d, want %d", repair, got.step, want)
			}
		}
	}
	if got := r.task(nil); got.do != nil || got.step != 0 {
		t.Errorf("a finding without a repair has step %d", got.step)
	}
}
