//go:build kernel

package systems

import (
	"os/exec"
	"strings"
	"testing"
)

// run runs a program that must succeed, and returns its trimmed output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
