package arch

import "testing"

// TestHouseNotices feeds each check a file that breaks its rule, and one that
// keeps it.
func TestHouseNotices(t *testing.T) {
	for _, c := range []struct {
		rule      string
		check     func(source) []string
		path      string
		bad, good string
	}{
		{"part imports part", upward, "lib/label/x.go", `import "thinmount/lib/loop"`,
			`import "thinmount/lib/dm"`},
		{"part imports use cases", upward, "lib/label/x.go", `import "thinmount/lib/thin"`,
			`import "os"`},
		{"base imports part", upward, "lib/dm/x.go", `import "thinmount/lib/loop"`, `import "os"`},
		{"base imports base", upward, "lib/dm/x.go", `import "thinmount/lib/filelock"`,
			`import "os"`},
		{"command imports part", upward, "cmd/mount.thin/x.go", `import "thinmount/lib/catalog"`,
			`import "thinmount/lib/thin"`},
		{"unsafe", reserved, "lib/label/x.go", `import "unsafe"`, `import "os"`},
		{"exec", reserved, "lib/thin/x.go", `import "os/exec"`, `import "os"`},
		{"flags module in a helper", reserved, "cmd/mount.thin/x.go",
			`import "github.com/urfave/cli/v2"`, `import "flag"`},
		{"start", lowLevel, "lib/thin/x.go", `import "os"; var f = os.StartProcess`,
			`import "os"; var f = os.Open`},
		{"toothless fuzzing", toothless, "lib/dm/x_test.go",
			`func F(f *testing.F) { f.Fuzz(func(t *testing.T, s string) { parse(s) }) }`,
			`func F(f *testing.F) { f.Fuzz(func(t *testing.T, s string) { t.Error(parse(s)) }) }`},
		{"environment", asksEnvironment, "lib/thin/x.go",
			`import "os"; var d = os.Getenv("THIN_DIR")`, `import "os"; var d = os.Getpid()`},
		{"flag from the environment", asksEnvironment, "cmd/thin-snap/x.go",
			`var f = cli.StringFlag{Name: "dir", EnvVars: []string{"D"}}`,
			`var f = cli.StringFlag{Name: "dir"}`},
		{"temp folder", asksEnvironment, "cmd/thin-snap/x.go", `import "os"; var d = os.TempDir()`,
			`var d = "/run/thin"`},
		{"search path", asksEnvironment, "lib/mkfs/x.go", `import "os/exec"; var f = exec.LookPath`,
			`import "os/exec"; var f = exec.CommandContext`},
		{"raw ioctl", lowLevel, "lib/mount/x.go", `var f = unix.SYS_IOCTL`,
			`var f = unix.SYS_FSOPEN`},
		{"ioctl", lowLevel, "lib/mount/x.go", `var f = unix.IoctlGetInt`, `var f = unix.Fsopen`},
		{"skip", skips, "lib/dm/x_test.go", `func f() { t.Skip("no root") }`,
			`func f() { t.Fatal("no root") }`},
		{"nested skip", skips, "lib/dm/x_test.go", `func f() { x.t.SkipNow() }`,
			`func f() { x.t.FailNow() }`},
		{"short", skips, "lib/dm/x_test.go", `var f = testing.Short()`,
			`var f = testing.Verbose()`},
		{"kernel test", untagged, "lib/dm/x_test.go", `func TestKernelX() {}`, `func TestX() {}`},
		{"boot test", untagged, "test/x_test.go", `func TestBoot1X() {}`, `func TestRoot() {}`},
		{"compared errno", compared, "lib/dm/x.go", `var f = err == unix.EBUSY`,
			`var f = errno == unix.EBUSY`},
		{"switch over an error", compared, "lib/dm/x.go",
			`func f() { switch err { case io.EOF: } }`, `func f() { switch { case err == nil: } }`},
		{"init", inits, "lib/dm/x.go", `func init() {}`, `func (c *C) init() {}`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if got := c.check(parse(t, c.path, []byte("package x\n"+c.bad))); len(got) != 1 {
				t.Errorf("%s: %s: reported %q, want one report", c.path, c.bad, got)
			}
			if got := c.check(parse(t, c.path, []byte("package x\n"+c.good))); len(got) != 0 {
				t.Errorf("%s: %s: reported %q, want none", c.path, c.good, got)
			}
		})
	}
}

func TestHouseNoticesTag(t *testing.T) {
	s := parse(t, "lib/dm/x_test.go",
		[]byte("//go:build kernel\n\npackage x\nfunc TestKernelX() {}"))
	if got := untagged(s); len(got) != 0 {
		t.Error(got)
	}
}

func TestHouseNoticesScript(t *testing.T) {
	for script, want := range map[string]int{
		"exec true\nskip 'no root'\n":   1,
		"[!root] skip\n":                1,
		"[a] [b] stop\n":                1,
		"exec true\n-- file --\nskip\n": 0,
		"# skip\nexec echo skip\n":      0,
	} {
		if got := scriptSkips("x.txtar", script); len(got) != want {
			t.Errorf("%q: reported %q, want %d", script, got, want)
		}
	}
}

func TestHouseLinked(t *testing.T) {
	all := []source{
		parse(t, "cmd/a/a.go", []byte(`package a; import "thinmount/lib/b"`)),
		parse(t, "lib/b/b.go", []byte(`package b; import "github.com/urfave/cli/v2"`)),
		parse(t, "lib/b/b_test.go", []byte(`package b; import "testing"`)),
	}
	got := linked(all, "cmd/a")
	if !got["github.com/urfave/cli/v2"] || got["testing"] || len(got) != 1 {
		t.Errorf("linked %v", got)
	}
}
