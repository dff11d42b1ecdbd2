package arch

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machines are the architectures that the programs have to build for. Each
// takes less than a second of processor time.
var machines = []string{"amd64", "arm64", "ppc64le", "riscv64", "s390x", "arm", "386"}

// programTags are the build tags of the programs, as in the Makefile.
var programTags = []string{"urfave_cli_no_docs"}

// checker checks the types of packages for one architecture, from their source:
// in a second or two, where the compiler takes a minute. Of packages that are
// not ours it takes no more than what they export.
type checker struct {
	ctx     build.Context
	modules map[string]string // module to its folder
	set     *token.FileSet
	done    map[string]*types.Package
	errs    []error
	info    *types.Info     // of ours, where it is wanted
	parsed  func(*ast.File) // is called for each file of ours, where it is wanted
}

// Import implements types.Importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if p := c.done[path]; p != nil {
		return p, nil
	}
	p, err := c.ctx.ImportDir(c.dir(path), 0)
	if err != nil {
		return nil, err
	}
	ours := strings.HasPrefix(path, module)
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(c.set, filepath.Join(p.Dir, name), nil,
			parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		if ours && c.parsed != nil {
			c.parsed(f)
		}
	}
	conf := types.Config{Importer: c, IgnoreFuncBodies: !ours, FakeImportC: true,
		Sizes: types.SizesFor("gc", c.ctx.GOARCH),
		Error: func(err error) {
			if ours {
				c.errs = append(c.errs, err)
			}
		}}
	info := c.info
	if !ours {
		info = nil
	}
	pkg, err := conf.Check(path, c.set, files, info)
	c.done[path] = pkg
	if pkg != nil && !ours {
		err = nil
	}
	return pkg, err
}

// dir is where the source of a package lies.
func (c *checker) dir(path string) string {
	for m, dir := range c.modules {
		if rest, ok := strings.CutPrefix(path+"/", m+"/"); ok {
			return filepath.Join(dir, rest)
		}
	}
	src := filepath.Join(c.ctx.GOROOT, "src")
	if dir := filepath.Join(src, "vendor", path); strings.Contains(path, ".") && exists(dir) {
		return dir
	}
	return filepath.Join(src, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func goSays(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go %v: %v: %s", args, err, failed.Stderr)
		}
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// modulesOf maps the modules that packages are made of to their folders.
func modulesOf(t *testing.T, packages string) map[string]string {
	t.Helper()
	modules := map[string]string{}
	list := goSays(t, "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", packages)
	for line := range strings.Lines(list) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			modules[path] = dir
		}
	}
	return modules
}

// The programs have the right types on all machines: numbers and structures of
// system calls differ from one to the other.
func TestHouseMachines(t *testing.T) {
	modules := modulesOf(t, "thinmount/...")
	root := goSays(t, "env", "GOROOT")
	packages := strings.Fields(goSays(t, "list", "thinmount/lib/...", "thinmount/cmd/..."))
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			ctx := build.Default
			ctx.GOROOT, ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = root, "linux", machine, false
			ctx.BuildTags = programTags
			c := &checker{
				ctx: ctx, modules: modules, set: token.NewFileSet(),
				done: map[string]*types.Package{},
			}
			for _, p := range packages {
				if _, err := c.Import(p); err != nil {
					t.Errorf("%s: %v", p, err)
				}
			}
			for _, err := range c.errs {
				t.Error(err)
			}
			if len(c.done) < 50 {
				t.Errorf("only %d packages were checked", len(c.done))
			}
		})
	}
}

// ioctls returns the numbers of ioctls that a file writes out. They differ from
// machine to machine (include/uapi/asm-generic/ioctl.h and those of powerpc,
// mips and sparc), so they come from x/sys.
func ioctls(s source) (found []string) {
	if s.test() || s.outside() {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || types.ExprString(call.Fun) != "ioctl" || len(call.Args) < 2 {
			return true
		}
		if number := types.ExprString(call.Args[1]); number != "cmd" &&
			!strings.HasPrefix(number, "unix.") {
			found = append(found, s.at(n)+": "+number)
		}
		return true
	})
	return found
}

func TestHouseIoctlsAreNotWrittenOut(t *testing.T) {
	for _, s := range tree(t) {
		for _, problem := range ioctls(s) {
			t.Error(problem)
		}
	}
	for text, want := range map[string]int{
		"ioctl(f, 0x1277, nil)": 1, "ioctl(f, blkDiscard, nil)": 1,
		"ioctl(f, unix.BLKDISCARD, nil)": 0,
	} {
		s := parse(t, "lib/loop/x.go", []byte("package loop\nfunc f() { "+text+" }\n"))
		if got := ioctls(s); len(got) != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
