//go:build kernel

package systems

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// result is how a program ended.
type result struct {
	code     int
	out, err string // trimmed
}

// try runs a program, whatever its exit code.
func try(t *testing.T, name string, args ...string) result {
	t.Helper()
	var out, said strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), strings.TrimSpace(out.String()), strings.TrimSpace(said.String())}
}

// run runs a program that has to succeed, and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	r := try(t, name, args...)
	if r.code != 0 {
		t.Fatalf("%s %s: exit code %d: %s %s", name, strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

// fstab adds a line for the volume at dir, and has systemd read it.
func fstab(t *testing.T, volume, dir, options string) {
	t.Helper()
	f, err := os.OpenFile("/etc/fstab", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(volume + " " + dir + " thin " + options + " 0 0\n")
	if err = errors.Join(err, f.Close(), os.MkdirAll(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	run(t, "systemctl", "daemon-reload")
}

// mountUnit is the name of the unit that mounts dir.
func mountUnit(t *testing.T, dir string) string {
	t.Helper()
	return run(t, "systemd-escape", "--path", "--suffix=mount", dir)
}

// unitState returns active, inactive, failed and the like.
func unitState(t *testing.T, unit string) string {
	t.Helper()
	return run(t, "systemctl", "show", "--value", "--property=ActiveState", unit)
}

// journal returns what a unit and systemd on its behalf said in a boot: 0 is this one, -1 the one before.
func journal(t *testing.T, boot, unit string) string {
	t.Helper()
	return run(t, "journalctl", "--no-pager", "--output=cat", "--boot="+boot, "--unit="+unit)
}

// mounted returns source and filesystem of what is mounted on dir, "" if nothing is.
func mounted(t *testing.T, dir string) string {
	t.Helper()
	return strings.Join(strings.Fields(try(t, "findmnt", "-n", "-o", "SOURCE,FSTYPE", "--mountpoint", dir).out), " ")
}

// write puts text into a file.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// read returns the text of a file.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
