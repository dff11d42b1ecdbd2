package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"thinmount/bench/sample"
)

// command is one way to do something: a program and its arguments.
type command []string

// sh is a command of several lines. Its arguments are $1 and so on.
func sh(script string, args ...string) command {
	return append(command{"/bin/sh", "-ec", script, "sh"}, args...)
}

// found are the paths of programs.
var found sync.Map

func lookUp(name string) (string, error) {
	if path, ok := found.Load(name); ok {
		return path.(string), nil
	}
	path, err := exec.LookPath(name)
	if err == nil {
		found.Store(name, path)
	}
	return path, err
}

// took is what a command took.
type took struct{ wall, cpu time.Duration }

// spawn runs a command, from fork to wait4.
func spawn(c command) (took, error) {
	path, err := lookUp(c[0])
	if err != nil {
		return took{}, err
	}
	said, err := os.CreateTemp("", "bench")
	if err != nil {
		return took{}, err
	}
	defer said.Close()
	defer os.Remove(said.Name())
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return took{}, err
	}
	defer null.Close()
	attr := &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), said.Fd()},
	}
	var status syscall.WaitStatus
	var usage syscall.Rusage

	start := time.Now()
	pid, err := syscall.ForkExec(path, c, attr)
	if err != nil {
		return took{}, fmt.Errorf("%s: %w", path, err)
	}
	for {
		if _, err = syscall.Wait4(pid, &status, 0, &usage); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	wall := time.Since(start)
	if err == nil && status != 0 {
		text, _ := os.ReadFile(said.Name())
		err = fmt.Errorf("%s: status %#x: %s", strings.Join(c, " "), int(status), text)
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return took{wall, cpu}, err
}

// emit prints a sample.
func (b *bench) emit(s sample.Sample) { fmt.Fprintln(b.out, b.mark+s.CSV()) }

// measure runs a command and prints what it took.
func (b *bench) measure(k sample.Key, round int, c command) {
	t, err := spawn(c)
	check(err)
	b.emit(sample.Sample{Key: k, Round: round, Wall: t.wall, CPU: t.cpu})
}

// must runs a command that is not measured.
func must(argv ...string) string {
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		check(fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out))
	}
	return string(out)
}

// folder makes a folder below the run's.
func (b *bench) folder(name string) string {
	dir := filepath.Join(b.dir, name)
	check(os.MkdirAll(dir, 0o755))
	return dir
}

// say prints what goes on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
