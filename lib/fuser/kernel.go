package fuser

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kernelHeld is what holds the mount without a process: mounts on it, swap
// files, loop devices.
func kernelHeld(proc, sys string, table []mounted, m Mount) []Holder {
	var found []Holder
	for _, t := range table {
		if t.parent == m.ID && t.id != m.ID { // the first mount of all may be its own parent
			found = append(found, Holder{UID: -1, What: Submount, Path: t.point})
		}
	}
	swaps, _ := os.ReadFile(proc + "/swaps")
	for _, file := range parseSwaps(string(swaps), "file") {
		if lies(table, m, file) {
			found = append(found, Holder{UID: -1, What: Swap, Path: file})
		}
	}
	files := loopFiles(sys)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if file := files[name]; lies(table, m, file) {
			found = append(found, Holder{Command: name, UID: -1, What: Loop, Path: file})
		}
	}
	return found
}

// loopFiles gives the file, or device, behind each loop device that is
// attached.
func loopFiles(sys string) map[string]string {
	files := map[string]string{}
	names, _ := list(sys + "/block")
	for _, name := range names {
		if !strings.HasPrefix(name, "loop") {
			continue
		}
		// Not there unless the device is attached.
		text, err := os.ReadFile(filepath.Join(sys, "block", name, "loop/backing_file"))
		if err == nil {
			files[name] = strings.TrimSuffix(string(text), "\n")
		}
	}
	return files
}

// lies tells by names alone whether a file lies on m: looking it up could ask a
// server that is dead. Of mounts that lie over each other at one point, each
// may be the one.
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
