package house

import (
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
	return append(docs, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
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
			if width := utf8.RuneCountInString(line); width > docsWidth && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d: %d columns", page, n, width)
			}
		}
	}
}

var (
	links = regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`)
	// files are paths of this project, in code or in prose; drivers/md/dm-thin.c
	// and lib/errseq.c are the kernel's.
	files = regexp.MustCompile(`(?:^|[^\w./-])((?:cmd|contrib|docs|examples|lib|man|test)/[\w./-]*\w)`)
)

// named returns the files of the project that a page names or links to, each from
// the project's folder.
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
	for page, heading := range map[string]string{"docs/design.md": "## Packages\n", "CONTRIBUTING.md": "## The house\n"} {
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
	got := named("docs/x.md", "[a](../README.md#b), [c](https://x.example/lib/a), `lib/dm/list.go`, lib/errseq.c, at /var/lib/thin.\n"+
		"lib/dm: test/all, and test/x.")
	want := []string{"README.md", "lib/dm/list.go", "lib/dm", "test/all", "test/x"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}
