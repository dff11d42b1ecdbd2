package holders

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mountsOn lists what is mounted directly on a mount.
func mountsOn(proc string, m Mount) []Holder {
	text, err := os.ReadFile(filepath.Join(proc, "thread-self", "mountinfo"))
	if err != nil {
		return nil
	}
	return children(string(text), m.ID)
}

// children reads mountinfo (proc_pid_mountinfo(5)): its second field is the
// parent's ID, its fifth the mount point.
func children(mountinfo string, id int) []Holder {
	var found []Holder
	for line := range strings.Lines(mountinfo) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		if parent, err := strconv.Atoi(f[1]); err == nil && parent == id {
			found = append(found, Holder{Kind: Mounted, Path: unescape(f[4])})
		}
	}
	return found
}

// swapFiles reads /proc/swaps: a heading, then lines of a path, its type and
// numbers.
func swapFiles(text string) []string {
	var paths []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 2 && f[1] == "file" {
			paths = append(paths, unescape(f[0]))
		}
	}
	return paths
}

// unescape undoes the kernel's octal escapes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
