package mkfs

import "strings"

// Error is a program that failed.
type Error struct {
	Program string // mkfs.xfs
	Said    string // on standard error, as it is
	Err     error  // its exit status
}

// Error is what the program has said, as far as that is a reason: some print
// their version before it, and all of their usage after it.
func (e *Error) Error() string {
	reasons := e.reasons()
	if len(reasons) == 0 {
		return e.Program + ": " + e.Err.Error()
	}
	return e.Program + ": " + strings.Join(reasons, "; ")
}

// Unwrap returns the exit status.
func (e *Error) Unwrap() error { return e.Err }

// maxReasons bounds how much of what a program says is shown.
const maxReasons = 3

// reasons are the first lines that say something.
func (e *Error) reasons() (found []string) {
	for line := range strings.Lines(e.Said) {
		line = strings.Join(strings.Fields(line), " ")
		line = strings.TrimPrefix(line, e.Program+": ")
		switch lower := strings.ToLower(line); {
		case strings.HasPrefix(lower, "usage:"):
			return found
		case line == "", strings.HasPrefix(line, "mke2fs 1."), strings.HasPrefix(lower, "mkfs."), strings.HasPrefix(lower, "btrfs-progs v"):
		case len(found) < maxReasons:
			found = append(found, line)
		}
	}
	return found
}
