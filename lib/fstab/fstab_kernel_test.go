//go:build kernel

package fstab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// findmnt reads the same entries.
func TestKernelAsLibmount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fstab")
	if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command("findmnt", "--tab-file", path, "-n", "-P", "--noescape", "-o", "SOURCE,TARGET,FSTYPE").Output()
	if len(out) == 0 { // --noescape is newer than 2.38
		out, _ = exec.Command("findmnt", "--tab-file", path, "-n", "-P", "-o", "SOURCE,TARGET,FSTYPE").Output()
	}
	entries, _ := Read(path)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(entries) {
		t.Fatalf("findmnt has %d entries, we have %d:\n%s", len(lines), len(entries), out)
	}
	for i, e := range entries {
		if e.Spec == "UUID=ab12" {
			continue // findmnt looks for the device
		}
		if !strings.Contains(lines[i], `SOURCE="`+e.Spec+`"`) || !strings.Contains(lines[i], `FSTYPE="`+e.Type+`"`) {
			t.Errorf("%+v; findmnt has %s", e, lines[i])
		}
	}
}
