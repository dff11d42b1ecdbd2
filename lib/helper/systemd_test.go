package helper

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStopsUnit(t *testing.T) {
	for text, want := range map[string]bool{
		"0::/system.slice/mnt.mount\n":                                  true,
		"12:pids:/system.slice/srv-a.mount\n1:name=systemd:/\n0::/\n":   true,
		"0::/machine.slice/c.scope/payload/system.slice/-.mount\n":      true,
		"0::/user.slice/user-0.slice/session-1.scope\n":                 false,
		"0::/system.slice/mnt.mount/x.service\n":                        false,
		"0::/system.slice/mount\n0::/system.slice/a.mount.d:b\nnothing": false,
		"": false,
	} {
		file := filepath.Join(t.TempDir(), "cgroup")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := inMountUnit(file); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if inMountUnit(filepath.Join(t.TempDir(), "none")) {
		t.Error("without the file")
	}
}
