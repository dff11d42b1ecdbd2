package mkfs

import "strings"

// Error is a program that failed.
type Error struct {
	Program string // mkfs.xfs
	Said    string // on standard error, unchanged
	Err     error  // its exit status
}

// Error is what the program has printed, without its version before the reason
// and its usage after it.
func (e *Error) Error() string {
	reasons := e.reasons()
	if len(reasons) == 0 {
		return e.Program + ": " + e.Err.Error()
	}
	return e.Program + ": " + strings.Join(reasons, "; ")
}

// Unwrap returns the exit status.
func (e *Error) Unwrap() error { return e.Err }

// maxReasons bounds how many lines of a program are shown.
const maxReasons = 3

// reasons are the first lines that are neither version nor usage.
func (e *Error) reasons() (found []string) {
	for line := range strings.Lines(e.Said) {
		line = strings.Join(strings.Fields(line), " ")
		line = strings.TrimPrefix(line, e.Program+": ")
		switch lower := strings.ToLower(line); {
		case strings.HasPrefix(lower, "usage:"):
			return found
		case line == "", strings.HasPrefix(line, "mke2fs 1."), strings.HasPrefix(lower, "mkfs."),
			strings.HasPrefix(line, "resize2fs 1."), strings.HasPrefix(lower, "btrfs-progs v"):
		case len(found) < maxReasons:
			found = append(found, line)
		}
	}
	return found
}
