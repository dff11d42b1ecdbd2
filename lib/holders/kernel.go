package holders

import (
	"os"
	"path/filepath"
	"strings"
)

// kernelHeld is what holds the mount without a process: mounts on it, swap files, loop devices.
func kernelHeld(proc, sys string, table []mounted, m Mount) []Holder {
	var found []Holder
	for _, t := range table {
		if t.parent == m.ID && t.id != m.ID { // the first mount of all may be its own parent
			found = append(found, Holder{UID: -1, What: Submount, Path: t.point})
		}
	}
	swaps, _ := os.ReadFile(proc + "/swaps")
	for _, file := range parseSwaps(string(swaps)) {
		if lies(table, m, file) {
			found = append(found, Holder{UID: -1, What: Swap, Path: file})
		}
	}
	loops, _ := list(sys + "/block")
	for _, name := range loops {
		if !strings.HasPrefix(name, "loop") {
			continue
		}
		// Not there unless the device is attached.
		text, err := os.ReadFile(filepath.Join(sys, "block", name, "loop/backing_file"))
		if file := strings.TrimSuffix(string(text), "\n"); err == nil && lies(table, m, file) {
			found = append(found, Holder{Command: name, UID: -1, What: Loop, Path: file})
		}
	}
	return found
}

// lies tells by names alone whether a file lies on m: looking it up could ask a server that is dead. Of mounts that lie over each other
// at one point, each may be the one.
func lies(table []mounted, m Mount, file string) bool {
	longest := ""
	for _, t := range table {
		if len(t.point) > len(longest) && under(t.point, file) {
			longest = t.point
		}
	}
	return longest != "" && longest == m.Point
}

// under tells whether file is in the folder dir, or deeper.
func under(dir, file string) bool {
	rest, ok := strings.CutPrefix(file, strings.TrimSuffix(dir, "/"))
	return ok && strings.HasPrefix(rest, "/")
}
