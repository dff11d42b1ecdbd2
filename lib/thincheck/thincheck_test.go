package thincheck

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// program puts a script in the place of the programs.
func program(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir() + "/"
	before := dirs
	dirs = []string{dir}
	t.Cleanup(func() { dirs = before })
	if err := os.WriteFile(dir+name, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestMissing(t *testing.T) {
	program(t, "other", "exit 0")
	t.Setenv("PATH", dirs[0])
	if err := Clear(t.Context(), "/dev/null"); !errors.Is(err, errMissing) ||
		errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

// No variable of the caller reaches the programs, nor says which one is run.
func TestEnvironment(t *testing.T) {
	program(t, "thin_check",
		`[ "$LC_ALL" = C ] && [ -z "$THIN_SECRET" ] && `+
			`[ "$*" = "--clear-needs-check-flag /dev/x" ]`)
	t.Setenv("THIN_SECRET", "x")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	if err := Clear(t.Context(), "/dev/x"); err != nil {
		t.Error(err)
	}
}

func TestDamaged(t *testing.T) {
	program(t, "thin_check",
		"echo examining superblock; echo 'bad checksum in block 7' >&2; exit 1")
	if err := Clear(t.Context(), "/dev/x"); !errors.Is(err, ErrDamaged) ||
		!strings.Contains(err.Error(), "bad checksum in block 7") {
		t.Errorf("got %v", err)
	}
}

// Blocks that are counted in vain are given back first.
func TestLeakedBlocks(t *testing.T) {
	mark := t.TempDir() + "/mended"
	program(t, "thin_check",
		`[ "$1" != --auto-repair ] || { : >`+mark+`; exit 0; }; [ -e `+mark+` ]`)
	if err := Clear(t.Context(), "/dev/x"); err != nil {
		t.Error(err)
	}
}

func TestInterrupted(t *testing.T) {
	program(t, "thin_check", "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Clear(ctx, "/dev/x"); !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

func TestTail(t *testing.T) {
	if got := tail("a\n  b\t" + strings.Repeat("x", 1000) + " end\n"); len(got) > 310 ||
		!strings.HasSuffix(got, " end") || strings.ContainsAny(got, "\n\t") {
		t.Errorf("%q", got)
	}
}
