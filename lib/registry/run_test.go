package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The eldest process of a mount namespace is the one whose parent is in
// another.
func TestEldest(t *testing.T) {
	proc := t.TempDir()
	for pid, row := range map[int]struct{ parent, ns int }{
		1: {0, 1}, 50: {1, 1}, 60: {50, 7}, 7: {60, 7}, 8: {7, 7}, 9: {60, 7}, 99: {98, 7},
	} {
		dir := filepath.Join(proc, fmt.Sprint(pid))
		err := os.MkdirAll(dir+"/ns", 0o700)
		if err == nil {
			err = os.Symlink(fmt.Sprintf("mnt:[%d]", row.ns), dir+"/ns/mnt")
		}
		if err == nil {
			err = os.WriteFile(dir+"/stat",
				fmt.Appendf(nil, "%d (a) b) S %d 1 1 0", pid, row.parent), 0o600)
		}
		if err == nil && pid == 60 {
			err = os.WriteFile(dir+"/comm", []byte("thin-run\n"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for pid, want := range map[int]int{8: 60, 60: 60, 50: 0, 99: 0, 0: 0} {
		if got := runOf(proc, pid); got != want {
			t.Errorf("run of %d: %d, want %d", pid, got, want)
		}
	}
	for pid, want := range map[int]int{8: 60, 9: 60, 60: 60, 50: 1, 1: 1, 99: 99, 5: 5} {
		if got := eldest(proc, pid); got != want {
			t.Errorf("of %d: %d, want %d", pid, got, want)
		}
	}
}
