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
	// What is malformed some versions leave out, others refuse as a whole.
	text := strings.NewReplacer("tooshort /x\n", "", "demo/four /y thin rw zero 0\n", "").Replace(sample)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("findmnt", "--tab-file", path, "-n", "-P", "-o", "SOURCE,TARGET,FSTYPE").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	entries, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
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
