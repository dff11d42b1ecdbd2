package dm

import (
	"os"
	"path/filepath"
	"testing"
)

// Udev keeps the nodes where it runs and has device-mapper's rules in one of
// its own folders. Rules in another folder do not count: it is not even looked
// at.
func TestUdevKeeps(t *testing.T) {
	for _, row := range []struct {
		rules string
		want  bool
	}{
		{"etc/udev/rules.d", true}, {"run/udev/rules.d", true},
		{"usr/local/lib/udev/rules.d", true}, {"usr/lib/udev/rules.d", true},
		{"lib/udev/rules.d", true}, {"home/udev/rules.d", false}, {"usr/share/udev/rules.d", false},
	} {
		root := t.TempDir()
		for _, dir := range []string{"run/udev", "proc/self/ns", "proc/1/ns", row.rules} {
			if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{"run/udev/control", row.rules + "/95-dm-notify.rules"} {
			if err := os.WriteFile(filepath.Join(root, file), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, process := range []string{"self", "1"} {
			if err := os.Symlink("ipc:[1]",
				filepath.Join(root, "proc", process, "ns/ipc")); err != nil {
				t.Fatal(err)
			}
		}
		if got := udevKeeps(root); got != row.want {
			t.Errorf("rules in %s: %v, want %v", row.rules, got, row.want)
		}
		if err := os.Remove(filepath.Join(root, "run/udev/control")); err != nil {
			t.Fatal(err)
		}
		if udevKeeps(root) {
			t.Errorf("rules in %s, and no udevd", row.rules)
		}
	}
}
