package freeze

import (
	"runtime/debug"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// holdStill prepares the process for a moment in which the device may be needed
// for nothing: our own program, our standard error or our swap may lie on it, and
// whoever waits for it then waits for ever. All memory is locked, and with it
// read from the program's file; the kernel gives memory without writing any out
// for it; the garbage collector rests; and what THIN_DEBUG prints is kept back.
// The calling thread must be locked. Each part is best effort: a sandbox may
// forbid it. release takes all of it back.
func holdStill(c *dm.Control) (release func()) {
	percent := debug.SetGCPercent(-1)
	flusher := unix.Prctl(unix.PR_SET_IO_FLUSHER, 1, 0, 0, 0) == nil // since Linux 5.6
	unix.Mlockall(unix.MCL_CURRENT)
	traced := c.HoldTrace()
	return func() {
		unix.Munlockall()
		if flusher {
			unix.Prctl(unix.PR_SET_IO_FLUSHER, 0, 0, 0, 0)
		}
		debug.SetGCPercent(percent)
		traced()
	}
}
