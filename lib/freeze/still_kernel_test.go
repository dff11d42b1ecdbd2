//go:build kernel

package freeze

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The program's file is locked as a whole, and of the rest what is in memory.
// What the runtime has not touched stays away.
func TestKernelLockMemory(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(exe)
	if err != nil {
		t.Fatal(err)
	}
	unlock := lockMemory()
	locked, resident := lockedOf(t, exe)
	unlock()
	pages := (st.Size() + 4095) / 4096 * 4
	if locked < pages {
		t.Errorf("%d kB of the file are locked, of %d", locked, pages)
	}
	if most := pages + 32<<10; resident > most {
		t.Errorf("%d kB of memory are filled, more than %d", resident, most)
	}
	if left, _ := lockedOf(t, exe); left != 0 {
		t.Errorf("%d kB of the file are still locked", left)
	}
}

// lockedOf returns what the shared mapping of a file has in memory, if the
// mapping is locked, and what all mappings have in memory, in kB.
func lockedOf(t *testing.T, file string) (locked, resident int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	of := false
	for line := range strings.Lines(string(b)) {
		var kB int64
		key, value, _ := strings.Cut(line, ":")
		switch {
		case strings.Contains(key, "-"):
			of = strings.HasSuffix(strings.TrimSpace(line), file) && strings.Contains(key, " r--s ")
		case key == "Rss":
			fmt.Sscan(value, &kB)
			resident += kB
			if of {
				locked = kB
			}
		case key == "VmFlags" && of && !strings.Contains(value, " lo"):
			locked = 0
		}
	}
	return locked, resident
}
