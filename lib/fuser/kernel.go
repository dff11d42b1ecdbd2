package fuser

import (
	"os"
	"path/filepath"
	"strings"
)

// kernelHeld lists what holds the mount m without a process: mounts on it, swap
// files, and files behind loop devices.
func kernelHeld(proc, sys string, table []mounted, m Mount) []Holder {
	var found []Holder
	for _, t := range table {
		// The first mount of all may be its own parent.
		if t.parent == m.ID && t.id != m.ID {
			found = append(found, Holder{UID: -1, What: Submount, Path: t.point})
		}
	}
	swaps, _ := os.ReadFile(proc + "/swaps")
	for _, file := range parseSwaps(string(swaps), "file") {
		if lies(table, m, file) {
			found = append(found, Holder{UID: -1, What: Swap, Path: file})
		}
	}
	for _, l := range loops(sys) {
		if lies(table, m, l.file) {
			found = append(found, Holder{Command: l.name, UID: -1, What: Loop, Path: l.file})
		}
	}
	return found
}

// loop is an attached loop device, and the path of the file or device behind
// it.
type loop struct{ name, file string }

// loops returns the attached loop devices, in the order of their names.
func loops(sys string) (all []loop) {
	entries, _ := os.ReadDir(sys + "/block")
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, "loop") {
			continue
		}
		// This file exists only while the loop device is attached.
		text, err := os.ReadFile(filepath.Join(sys, "block", name, "loop/backing_file"))
		if err == nil {
			all = append(all, loop{name, strings.TrimSuffix(string(text), "\n")})
		}
	}
	return all
}

// lies reports whether a file lies on the mount m. It compares names only: a
// lookup of the file could wait for a dead server. If several mounts have the
// same mount point, it returns true for each of them.
func lies(table []mounted, m Mount, file string) bool {
	longest := ""
	for _, t := range table {
		if len(t.point) > len(longest) && under(t.point, file) {
			longest = t.point
		}
	}
	return longest != "" && longest == m.Point
}

// under reports whether the path file is below the folder dir.
func under(dir, file string) bool {
	rest, ok := strings.CutPrefix(file, strings.TrimSuffix(dir, "/"))
	return ok && strings.HasPrefix(rest, "/")
}
