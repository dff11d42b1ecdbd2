package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// scriptStatus is the script command "rc STATUS PROGRAM ARG...". testscript's
// own exec only tells success from failure. The output goes to the files out
// and err.
func scriptStatus(ts *testscript.TestScript, _ bool, args []string) {
	c := scriptProgram(ts, args[1:])
	_ = c.Run() // the exit status is compared below
	scriptOutput(ts, c)
	if got := strconv.Itoa(status(c)); got != args[0] {
		ts.Fatalf("exit status %s, want %s\n%s", got, args[0], ts.ReadFile("err"))
	}
}

// scriptInterrupt is "interrupt SIGNAL FILE STATUS PROGRAM ARG...". It sends
// the signal once the program has made FILE.
func scriptInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	c := scriptProgram(ts, args[3:])
	ts.Check(c.Start())
	for {
		if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	ts.Check(c.Process.Signal(unix.SignalNum(args[0])))
	_ = c.Wait()
	scriptOutput(ts, c)
	if got := strconv.Itoa(status(c)); got != args[2] {
		ts.Fatalf("exit status %s, want %s\n%s", got, args[2], ts.ReadFile("err"))
	}
}

func scriptProgram(ts *testscript.TestScript, args []string) *exec.Cmd {
	path, err := lookPath(ts.Getenv("PATH"), args[0])
	ts.Check(err)
	c := exec.Command(path, args[1:]...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"FAKE_STATE", "FAKE_CALLS", "FAKE_SLOW", "FAKE_TTY", "FAKE_UID", "TZ",
		"TESTSCRIPT_COMMAND",
	} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	out, err := os.Create(ts.MkAbs("out"))
	ts.Check(err)
	errOut, err := os.Create(ts.MkAbs("err"))
	ts.Check(err)
	c.Stdout, c.Stderr = out, errOut
	if answer, err := os.Open(ts.MkAbs("answer")); err == nil {
		c.Stdin = answer
	}
	return c
}

func scriptOutput(ts *testscript.TestScript, c *exec.Cmd) {
	ts.Check(c.Stdout.(*os.File).Close())
	ts.Check(c.Stderr.(*os.File).Close())
}

func status(c *exec.Cmd) int {
	if c.ProcessState == nil {
		return -1
	}
	return c.ProcessState.ExitCode()
}

func lookPath(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		p := filepath.Join(dir, name)
		if info, err := os.Stat(p); err == nil && info.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", errors.New(name + ": not in the scripts' PATH")
}
