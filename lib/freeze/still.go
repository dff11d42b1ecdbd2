package freeze

import (
	"runtime/debug"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// holdStill prepares the process for the time in which the device is suspended.
// The program's file, its standard error or swap may be on that device: a page
// that has to be read from it, or a line that is written to it, would never
// arrive, and the device would never be resumed. So all memory is locked, which
// reads the program's file (mlockall(2)); the kernel does not write out dirty
// pages to find memory for this thread (prctl(2), PR_SET_IO_FLUSHER); the
// garbage collector rests, because a collection would need memory and time; and
// what THIN_DEBUG prints is kept back.
//
// The calling goroutine must be locked to its thread. A sandbox may forbid each
// of these: what fails is left out. release takes all of it back.
func holdStill(c *dm.Control) (release func()) {
	percent := debug.SetGCPercent(-1)
	// The kernel refuses it without CAP_SYS_RESOURCE.
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
