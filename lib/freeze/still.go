package freeze

import (
	"bufio"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// holdStill prepares the process for the time in which the device is suspended.
// The program's file, its standard error or swap may be on that device: a page
// that has to be read from it, or a line that is written to it, would never
// arrive, and the device would never be resumed. So the memory is locked
// (lockMemory); the kernel does not write out dirty pages to find memory for
// this thread (prctl(2), PR_SET_IO_FLUSHER); the garbage collector rests,
// because a collection would need memory and time; and what THIN_DEBUG prints
// is kept back.
//
// The calling goroutine must be locked to its thread. A sandbox may forbid each
// of these: what fails is left out. release takes all of it back.
func holdStill(c *dm.Control) (release func()) {
	percent := debug.SetGCPercent(-1)
	// The kernel refuses it without CAP_SYS_RESOURCE.
	flusher := unix.Prctl(unix.PR_SET_IO_FLUSHER, 1, 0, 0, 0) == nil // since Linux 5.6
	unlock := lockMemory()
	traced := c.HoldTrace()
	return func() {
		unlock()
		if flusher {
			unix.Prctl(unix.PR_SET_IO_FLUSHER, 0, 0, 0, 0)
		}
		debug.SetGCPercent(percent)
		traced()
	}
}

// lockMemory keeps the program's memory and its file where they are: in RAM.
// mlockall(2) alone would also fill what the Go runtime has mapped and not yet
// touched. That is 40 MB, which takes longer than the rest of a snapshot. So
// the rest of the memory is locked when it is touched (MCL_ONFAULT), and the
// program's file by a mapping of the whole file: of a page that is in the cache
// a fault reads nothing. If something is swapped out already, or a kernel
// before 4.4 knows no MCL_ONFAULT, everything is filled and locked.
func lockMemory() (unlock func()) {
	program, err := lockProgram()
	if err == nil {
		err = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_ONFAULT)
	}
	if err != nil || isSwapped() {
		unix.Mlockall(unix.MCL_CURRENT)
	}
	return func() {
		unix.Munlockall()
		if program != nil {
			unix.Munmap(program)
		}
	}
}

// lockProgram reads the program's file into the page cache, and keeps it there
// while it is mapped.
func lockProgram() (mapping []byte, err error) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return m, unix.Mlock(m)
}

// isSwapped tells whether a page of this process is swapped out, or cannot be
// known not to be. What is locked is not swapped out after that.
func isSwapped() bool {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return true
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmSwap:"); ok {
			return strings.TrimSpace(value) != "0 kB"
		}
	}
	return true
}
