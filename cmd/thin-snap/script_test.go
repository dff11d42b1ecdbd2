package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestMain lets the scripts run this test binary as thin-snap with a fake
// system.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"thin-snap": func() { os.Exit(run(os.Args, scriptEnv())) },
	})
}

func scriptEnv() env {
	e := newEnv()
	e.uid, e.version = 0, "1.2.3"
	if os.Getenv("FAKE_UID") != "" {
		e.uid = 1000
	}
	e.stdinTTY = os.Getenv("FAKE_TTY") != ""
	e.newSystem = func(h hooks) (system, error) { return openFake(os.Getenv("FAKE_STATE"), h) }
	return e
}

func TestScripts(t *testing.T) { testscript.Run(t, scripts(t, "testdata/script")) }

// scripts are the scripts in dir. Each has a state of its own for the fake
// system.
func scripts(t *testing.T, dir string) testscript.Params {
	t.Helper()
	completions, err := filepath.Abs("../../contrib/completion")
	if err != nil {
		t.Fatal(err)
	}
	return testscript.Params{
		Dir:           dir,
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("FAKE_STATE", e.WorkDir+"/state.json")
			e.Setenv("FAKE_CALLS", e.WorkDir+"/calls")
			e.Setenv("FAKE_SLOW", e.WorkDir+"/slow")
			e.Setenv("TZ", "UTC")
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("COMPLETIONS", completions)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"rc": scriptStatus, "interrupt": scriptInterrupt,
		},
	}
}
