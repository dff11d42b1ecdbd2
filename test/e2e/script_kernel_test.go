//go:build kernel

package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain runs one script after the other: they look at the whole system.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestKernelScripts runs each script of testdata/script in a folder of its own.
// Pools are named after the script, so that a leftover tells its origin.
func TestKernelScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits,
			"gone": gone, "refs": refs},
		RequireExplicitExec: true,
		ContinueOnError:     true, // a boot is slow, and one shows all that fails
		// else it is left behind when only some of the scripts run
		WorkdirRoot: t.TempDir(),
	})
}

// noThin keeps the kernel from loading dm-thin, while a script wants that.
const noThin = "/etc/modprobe.d/e2e.conf"

// setup gives a script mount points below its folder and real system paths.
func setup(env *testscript.Env) error {
	env.Defer(func() { os.Remove(noThin) })
	bin, err := filepath.Abs("testdata/bin")
	if err != nil {
		return err
	}
	env.Setenv("PATH", bin+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	env.Setenv("HOME", "/root")
	for _, d := range []string{"mnt", "srv", "other"} {
		if err := os.Mkdir(env.WorkDir+"/"+d, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// exits runs a program and wants that very exit code, and one line on stderr
// that matches the pattern:
//
//	exits CODE PATTERN PROGRAM [ARG...]
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: exits CODE PATTERN PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Dir = ts.Getenv("WORK")
	var out strings.Builder
	cmd.Stderr = &out
	cmd.Run()
	ts.Logf("%s", out.String())
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d: %s", got, want, out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	said := lines[0]
	if len(lines) == 2 && strings.Contains(lines[1], "hint: ") {
		said += " " + lines[1] // thin-snap's hint has a line of its own
	} else if len(lines) != 1 {
		ts.Fatalf("%d lines on stderr, want one", len(lines))
	}
	matchLine(ts, args[1], said)
}

// refs wants that the volume v of the script's pool has N references:
//
//	refs N
func refs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: refs N")
	}
	want := ts.Name() + "/v\t" + args[0]
	out, err := exec.Command("thin-snap", "list", "-H", "-o", "name,references",
		ts.Name()).CombinedOutput()
	if err != nil || !slices.Contains(strings.Split(string(out), "\n"), want) {
		ts.Fatalf("want %s references: %s%v", args[0], out, err)
	}
}

// gone wants that no device-mapper device of the named volume exists.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		err := exec.Command("/sbin/dmsetup", "info", name).Run()
		if (err == nil) != neg {
			ts.Fatalf("device %s: exists=%v", name, err == nil)
		}
	}
}
