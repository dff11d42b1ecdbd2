package inspect

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
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

// TestRepairPool carries out repairs of a pool's catalog. After a repair of a
// record that fails, nothing else is done. A repair that mends all findings of
// its kind at once is done once.
func TestRepairPool(t *testing.T) {
	s, cat, k := thintest.Active(t, catalog.KindFile)
	c := dm.NewControl(k.Call)
	r := &repairs{sys: s, name: "demo", begun: map[string]bool{},
		pool: &engine.Pool{Sys: s, DM: c, Catalog: cat, Target: thinpool.New(c, k.PoolUUID)}}
	thintest.AddVolume(t, cat, k, "one", 1)
	found := func(all ...check.Repair) (found []check.Finding) {
		for _, repair := range all {
			found = append(found, check.Finding{Object: "demo", Repair: repair})
		}
		return found
	}
	temp := filepath.Join(cat.Dir(), "volumes", ".zero.json.tmp")
	if err := os.WriteFile(temp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all := []check.Repair{
		check.RemoveTemp{Temp: catalog.Temp{Path: temp, Volume: "zero"}},
		check.TakeOver{TransactionID: 7},
		check.SetSize{Volume: "one", Size: 2 * thintest.MiB},
		check.NameID{Volume: spec.Volume{Pool: "demo", Name: "two"}, ID: 4, Size: thintest.MiB,
			TransactionID: 3},
	}
	err := r.repairPool(t.Context(), found(append(all, check.SetSize{Volume: "none"})...))
	cfg := thintest.OnDisk(t, s)
	if !errors.Is(err, catalog.ErrNoVolume) || cfg.TransactionID == 7 {
		t.Errorf("after a record that is not there: %v, %+v", err, cfg)
	}
	if _, err := os.Lstat(temp); err != nil {
		t.Error(err)
	}
	if err := cat.RemoveVolume("two"); err != nil {
		t.Fatal(err)
	}
	if err := r.repairPool(t.Context(), found(all...)); err != nil {
		t.Error(err)
	}
	one, err := cat.VolumeAnyState("one")
	two, err2 := cat.VolumeAnyState("two")
	cfg = thintest.OnDisk(t, s)
	if errors.Join(err, err2) != nil || one.Size != 2*thintest.MiB ||
		two.ID != 4 || two.TransactionID != 3 || cfg.TransactionID != 7 || cfg.NextID != 5 {
		t.Errorf("%+v, %v; %+v, %v; %+v", one, err, two, err2, cfg)
	}
	if _, err := os.Lstat(temp); !os.IsNotExist(err) {
		t.Errorf("the temp file: %v", err)
	}
	calls := 0
	once := r.onlyOnce("x", func(context.Context, *engine.Pool) error { calls++; return nil })
	if err := errors.Join(once(t.Context()), once(t.Context())); err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
