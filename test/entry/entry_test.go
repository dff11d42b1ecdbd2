package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program whose main does not know the second process starts none, and says
// what is missing. A program whose main does starts one for each call.
func TestEntry(t *testing.T) {
	dir := t.TempDir()
	built := filepath.Join(dir, "built")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", built,
		".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for name, want := range map[string][]string{
		"no-entry": {
			"unmount: program has no entry for its second process: its main must begin with " +
				"apart.RunIfChild",
			"sync: program has no entry for its second process: its main must begin with " +
				"apart.RunIfChild",
			"suspend: watcher of none: program has no entry for the watcher: its main must begin " +
				"with freeze.RunIfWatcher",
		},
		"has-entry": {"unmount: ", "sync: <nil>", "suspend: watcher of none: "},
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(dir, name)
			if err := os.Link(built, program); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(program).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if len(lines) != len(want) {
				t.Fatalf("printed %q", lines)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, want[i]) {
					t.Errorf("printed %q, want %q", line, want[i])
				}
				if name == "has-entry" && strings.Contains(line, "no entry") {
					t.Errorf("printed %q", line)
				}
			}
			log, err := os.ReadFile(program + ".log")
			if err != nil || strings.Count(string(log), "\n") != 1 {
				t.Errorf("main ran to its work in these processes, want in one:\n%s%v", log, err)
			}
		})
	}
}
