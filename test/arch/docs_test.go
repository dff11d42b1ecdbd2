package arch

import (
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// pages are the documents of the project.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := fs.Glob(top(), "docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("%d files in docs: %v", len(docs), err)
	}
	return append(docs, "docs/bench/README.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md",
		"SECURITY.md")
}

const docsWidth = 100

// The documents are read in terminals: their prose and their code are at most
// docsWidth columns wide. A row of a table cannot be broken.
func TestHouseDocsWidth(t *testing.T) {
	for _, page := range pages(t) {
		n := 0
		for line := range strings.Lines(text(t, page)) {
			n++
			line = strings.TrimSuffix(line, "\n")
			if width := utf8.RuneCountInString(line); width > docsWidth &&
				!strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d: %d columns", page, n, width)
			}
		}
	}
}

var (
	links = regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`)
	// files are paths of this project, in code or in prose;
	// drivers/md/dm-thin.c and lib/errseq.c are the kernel's.
	files = regexp.MustCompile(
		`(?:^|[^\w./-])((?:bench|cmd|contrib|docs|examples|lib|man|test)/[\w./-]*\w)`)
)

// named returns the files of the project that a page names or links to, each
// from the project's folder.
func named(page, text string) (all []string) {
	for _, m := range links.FindAllStringSubmatch(text, -1) {
		all = append(all, path.Join(path.Dir(page), m[1]))
	}
	for _, m := range files.FindAllStringSubmatch(links.ReplaceAllString(text, "]"), -1) {
		if ext := path.Ext(m[1]); ext != ".c" && ext != ".h" {
			all = append(all, path.Clean(m[1]))
		}
	}
	return all
}

// The files that the documents name or link to exist.
func TestHouseDocsNameFiles(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		for _, file := range named(page, text(t, page)) {
			seen++
			if _, err := fs.Stat(top(), file); err != nil {
				t.Errorf("%s: there is no %s", page, file)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d files are named", seen)
	}
}

// The lists of packages in docs/design.md and CONTRIBUTING.md are complete.
func TestHouseDocsListPackages(t *testing.T) {
	packages, err := fs.Glob(top(), "lib/*/*.go")
	if err != nil || len(packages) == 0 {
		t.Fatalf("%d files in lib: %v", len(packages), err)
	}
	for page, heading := range map[string]string{
		"docs/design.md": "## Packages\n", "CONTRIBUTING.md": "## The house\n",
	} {
		_, rest, _ := strings.Cut(text(t, page), heading)
		list, _, _ := strings.Cut(rest, "\n## ")
		for i, file := range packages {
			pkg := path.Dir(file)
			if i > 0 && pkg == path.Dir(packages[i-1]) {
				continue
			}
			if !regexp.MustCompile(regexp.QuoteMeta(pkg) + `\b`).MatchString(list) {
				t.Errorf("%s, %s: lacks %s", page, strings.TrimSpace(heading), pkg)
			}
		}
	}
}

func TestHouseNamedFiles(t *testing.T) {
	got := named("docs/x.md",
		"[a](../README.md#b), [c](https://x.example/lib/a), `lib/dm/list.go`, lib/errseq.c, at "+
			"/var/lib/thin.\n"+
			"lib/dm: test/all, and test/x.")
	want := []string{"README.md", "lib/dm/list.go", "lib/dm", "test/all", "test/x"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// functions maps the functions and methods of the programs, as pkg.Func and
// pkg.Type.Method, to the files that declare them.
func functions(all []source) map[string][]string {
	in := map[string][]string{}
	for _, s := range all {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test() {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				of := f.Recv.List[0].Type
				if star, ok := of.(*ast.StarExpr); ok {
					of = star.X
				}
				if id, ok := of.(*ast.Ident); ok {
					name = id.Name + "." + name
				}
			}
			name = s.file.Name.Name + "." + name
			in[name] = append(in[name], s.path)
		}
	}
	return in
}

// code is a word in backquotes, and a path in parentheses after it.
var code = regexp.MustCompile("`([^`]*)`(?:\\s+\\(([^)\\s]*\\.go)\\))?")

// lost returns the functions in a section of a page that do not exist, or that
// are not in the file named after them. All that is in backquotes there is one.
func lost(section string, there map[string][]string) (found []string, functions int) {
	for _, m := range code.FindAllStringSubmatch(section, -1) {
		functions++
		in, name := there[m[1]], m[1]
		if len(in) == 0 {
			found = append(found, "there is no function "+name)
		} else if m[2] != "" && !strings.Contains(" "+strings.Join(in, " ")+" ", " "+m[2]+" ") {
			found = append(found, name+" is not in "+m[2])
		}
	}
	return found, functions
}

// The functions that docs/design.md leads a stranger to are where it says.
func TestHouseWalk(t *testing.T) {
	there, page := functions(tree(t)), text(t, "docs/design.md")
	for _, heading := range []string{"## The states of an operation\n", "## A stranger's walk\n"} {
		_, rest, found := strings.Cut(page, heading)
		section, _, _ := strings.Cut(rest, "\n## ")
		problems, n := lost(section, there)
		if !found || n < 10 {
			t.Errorf("docs/design.md, %s: %d functions", heading, n)
		}
		for _, p := range problems {
			t.Errorf("docs/design.md, %s: %s", strings.TrimSpace(heading), p)
		}
	}
}

func TestHouseLost(t *testing.T) {
	there := functions([]source{
		parse(t, "lib/b/b.go",
			[]byte("package b\nfunc F() {}\nfunc (t *T) M() {}\nfunc (t U) M() {}"))})
	for section, want := range map[string]int{
		"`b.F` (lib/b/b.go)": 0, "`b.F`\n(lib/b/b.go)": 0, "`b.T.M` and `b.U.M`": 0,
		"`b.F` (see c.go)":   0,
		"`b.F` (lib/b/c.go)": 1, "`b.G`": 1, "`F`": 1, "`b.M`": 1, "`b.T.F`": 1,
	} {
		if got, _ := lost(section, there); len(got) != want {
			t.Errorf("%q: %q, want %d", section, got, want)
		}
	}
}
