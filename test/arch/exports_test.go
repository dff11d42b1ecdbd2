package arch

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unchecked are the packages whose exported names need no user: the face of the
// use cases, whose users are programs of others, and what tests share. A line
// that is deleted here adds a package to the test.
var unchecked = []string{
	"lib/thin",
	"lib/thintest",
}

// libraries are the packages that programs of others are meant to import. What
// their Examples show counts as used.
var libraries = []string{
	"lib/dm", "lib/thinpool", "lib/fsprobe", "lib/refcount", "lib/freeze", "lib/reexec", "lib/thin",
}

// excused are names that no other package uses, and why they are exported.
var excused = map[string]string{
	"lib/mountinfo.Parse":    "tests of other packages make up a mount table",
	"lib/fstype.Mounted":     "the manual page is compared with it",
	"lib/health.DamagedText": "a test of the engine looks for it",
	"lib/host.OpenError":     "a test of the registry looks at its hint",
	"lib/host.ReadOnlyHint":  "the same",
}

// typed is all of lib/ and cmd/ with types, and the uses of names.
type typed struct {
	*checker
	packages []*types.Package // of the module
	uses     map[types.Object]bool
	group    map[token.Pos]*ast.GenDecl // of constants, by the place of each name
}

// loadModule checks the types of lib/, cmd/ and the Examples of libraries.
func loadModule(t *testing.T) *typed {
	t.Helper()
	ctx := build.Default
	ctx.GOROOT, ctx.CgoEnabled = goSays(t, "env", "GOROOT"), false
	ctx.BuildTags = programTags
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	m := &typed{uses: map[types.Object]bool{}, group: map[token.Pos]*ast.GenDecl{}}
	m.checker = &checker{ctx: ctx, modules: modulesOf(t, "thinmount/..."), set: token.NewFileSet(),
		done: map[string]*types.Package{}, info: info, parsed: m.constants}
	for _, path := range strings.Fields(
		goSays(t, "list", "thinmount/lib/...", "thinmount/cmd/...")) {
		pkg, err := m.Import(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		m.packages = append(m.packages, pkg)
	}
	for _, lib := range libraries {
		m.examples(t, lib)
	}
	for ident, used := range info.Uses {
		if used.Pkg() != nil && m.user(ident.Pos()) != used.Pkg().Path() {
			m.uses[origin(used)] = true
		}
	}
	return m
}

// examples checks the file of Examples of a package, which is in a package of
// its own.
func (m *typed) examples(t *testing.T, lib string) {
	t.Helper()
	name := filepath.Join("../..", lib, "example_test.go")
	if !exists(name) {
		return
	}
	f, err := parser.ParseFile(m.set, name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: m, Sizes: types.SizesFor("gc", m.ctx.GOARCH)}
	if _, err := conf.Check("thinmount/"+lib+"_test", m.set, []*ast.File{f}, m.info); err != nil {
		t.Fatal(err)
	}
}

// user is the package that a place in the source belongs to.
func (m *typed) user(p token.Pos) string {
	name := m.set.Position(p).Filename
	if strings.HasSuffix(name, "_test.go") {
		return ""
	}
	top, _ := filepath.Abs("../..")
	dir, _ := filepath.Abs(filepath.Dir(name))
	rel, _ := filepath.Rel(top, dir)
	return "thinmount/" + filepath.ToSlash(rel)
}

// constants notes which constants are declared together.
func (m *typed) constants(f *ast.File) {
	for _, d := range f.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				m.group[name.Pos()] = group
			}
		}
	}
}

// origin is the generic function or type of an instance.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return o
}

// interfaces are all that are declared somewhere: in the module, and in what it
// imports. A method that one of them wants may be called through it.
func (m *typed) interfaces() (all []*types.Interface) {
	for _, pkg := range m.done {
		for _, name := range pkg.Scope().Names() {
			if i, ok := pkg.Scope().Lookup(name).Type().Underlying().(*types.Interface); ok &&
				i.NumMethods() > 0 {
				all = append(all, i)
			}
		}
	}
	return append(all, errorType)
}

// asErrors are the methods by which package errors treats an error; their
// interfaces have no names.
var asErrors = []string{"Is", "As", "Unwrap"}

// viaInterface reports whether a method of typ can be called without its name
// in the caller's source being that of typ.
func viaInterface(typ types.Type, method *types.Func, all []*types.Interface) bool {
	ptr := types.NewPointer(typ)
	if isError(typ) && slices.Contains(asErrors, method.Name()) {
		return true
	}
	return slices.ContainsFunc(all, func(i *types.Interface) bool {
		obj, _, _ := types.LookupFieldOrMethod(i, false, method.Pkg(), method.Name())
		return obj != nil && types.Implements(ptr, i)
	})
}

// reach marks the types of the module that a type leads to: those of its
// parameters, results, elements and exported fields. A package that has a value
// of them uses them, with or without their names.
func reach(typ types.Type, seen map[types.Type]bool, used map[types.Object]bool) {
	if typ == nil || seen[typ] {
		return
	}
	seen[typ] = true
	switch t := typ.(type) {
	case *types.Named:
		used[t.Origin().Obj()] = true
		for i := range t.TypeArgs().Len() {
			reach(t.TypeArgs().At(i), seen, used)
		}
		if t.Obj().Pkg() != nil && strings.HasPrefix(t.Obj().Pkg().Path(), "thinmount/") {
			reach(t.Underlying(), seen, used)
		}
	case *types.Alias:
		used[t.Obj()] = true
		reach(t.Rhs(), seen, used)
	case *types.Pointer:
		reach(t.Elem(), seen, used)
	case *types.Slice:
		reach(t.Elem(), seen, used)
	case *types.Array:
		reach(t.Elem(), seen, used)
	case *types.Chan:
		reach(t.Elem(), seen, used)
	case *types.Map:
		reach(t.Key(), seen, used)
		reach(t.Elem(), seen, used)
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				reach(v.Type(), seen, used)
			}
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				reach(f.Type(), seen, used)
			}
		}
	case *types.Interface:
		for f := range t.Methods() {
			reach(f.Type(), seen, used)
		}
	}
}

// isError reports whether a value of the type, or a pointer to it, is an error.
func isError(typ types.Type) bool {
	return types.Implements(typ, errorType) || types.Implements(types.NewPointer(typ), errorType)
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// unused lists the exported functions, types, methods, variables and constants
// of a package that no other package uses. Constants that are declared together
// are used together. A type of error belongs to the functions that return it,
// and so does the error variable of a library.
func (m *typed) unused(
	pkg *types.Package, used map[types.Object]bool, all []*types.Interface,
) (found []string) {
	path := strings.TrimPrefix(pkg.Path(), "thinmount/")
	groups := m.usedGroups(pkg, used)
	report := func(o types.Object, name string) {
		if excused[path+"."+name] == "" {
			found = append(found, m.set.Position(o.Pos()).String()+": "+name)
		}
	}
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		switch o := o.(type) {
		case *types.Const:
			if !used[o] && !groups[m.group[o.Pos()]] {
				report(o, name)
			}
		case *types.Var:
			if !used[o] && !(isError(o.Type()) && slices.Contains(libraries, path)) {
				report(o, name)
			}
		case *types.Func:
			if !used[o] {
				report(o, name)
			}
		case *types.TypeName:
			if !used[o] && !isError(o.Type()) {
				report(o, name)
			}
			named, ok := o.Type().(*types.Named)
			if !ok {
				continue
			}
			for method := range named.Methods() {
				if method.Exported() && !used[method] && !viaInterface(named, method, all) {
					report(method, name+"."+method.Name())
				}
			}
		}
	}
	return found
}

// usedGroups are the groups of constants of which one is used.
func (m *typed) usedGroups(pkg *types.Package, used map[types.Object]bool) map[*ast.GenDecl]bool {
	groups := map[*ast.GenDecl]bool{}
	for _, name := range pkg.Scope().Names() {
		if o := pkg.Scope().Lookup(name); used[o] && m.group[o.Pos()] != nil {
			groups[m.group[o.Pos()]] = true
		}
	}
	return groups
}

// used are the objects that other packages name, and the types that those lead
// to.
func (m *typed) used() map[types.Object]bool {
	used, seen := map[types.Object]bool{}, map[types.Type]bool{}
	for o := range m.uses {
		used[o] = true
		reach(o.Type(), seen, used)
	}
	return used
}

// Every name that a package exports is used by another package: what only its
// own tests use is kept up for nobody.
func TestHouseExportsAreUsed(t *testing.T) {
	m := loadModule(t)
	used, all := m.used(), m.interfaces()
	seen := 0
	for _, pkg := range m.packages {
		path := strings.TrimPrefix(pkg.Path(), "thinmount/")
		if slices.Contains(unchecked, path) || !strings.HasPrefix(path, "lib/") {
			continue
		}
		seen++
		for _, name := range m.unused(pkg, used, all) {
			t.Errorf("%s is exported, and no other package uses it", name)
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages were found", seen)
	}
}
