package dm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// unsignedAge is the age from which an unsigned semaphore is taken to be left
// by a process that was killed before semSign.
const unsignedAge = 10 * time.Second

// DropStaleSemaphores removes the semaphores of killed processes that were
// waiting for udev in this package. Semaphores of libdevmapper stay. The number
// of semaphores of a machine is limited, and libdm fails without one (sysctl
// kernel.sem). A container may see semaphores that it may not remove: that is
// an error.
func DropStaleSemaphores() error {
	b, err := os.ReadFile("/proc/sysvipc/sem")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		s, ok := parseSemaphore(line)
		if !ok || !s.stale(time.Now(), dead) {
			continue
		}
		err := semctl(uintptr(s.id), semRemove, 0)
		// Another command may remove it at the same moment.
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIDRM) {
			return fmt.Errorf("semaphore %d: %w", s.id, err)
		}
	}
	return nil
}

// semaphore is a line of /proc/sysvipc/sem (proc_pid_sysvipc(5); ipc/sem.c,
// sysvipc_sem_proc_show).
type semaphore struct {
	key     uint32
	id      uint32
	mode    uint64
	gid     uint64
	changed time.Time
}

// parseSemaphore reads key, semid, perms, nsems, uid, gid, cuid, cgid, otime
// and ctime. The heading line is not a semaphore.
func parseSemaphore(line string) (s semaphore, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 {
		return s, false
	}
	key, keyErr := strconv.ParseInt(f[0], 10, 64) // signed, as %d prints it
	id, idErr := strconv.ParseUint(f[1], 10, 31)
	mode, modeErr := strconv.ParseUint(f[2], 8, 32)
	gid, gidErr := strconv.ParseUint(f[5], 10, 32)
	changed, changedErr := strconv.ParseInt(f[9], 10, 64)
	if errors.Join(keyErr, idErr, modeErr, gidErr, changedErr) != nil {
		return s, false
	}
	return semaphore{uint32(key), uint32(id), mode & 0o777, gid, time.Unix(changed, 0)}, true
}

// stale reports whether this package made the semaphore in a process that is
// dead.
func (s semaphore) stale(now time.Time, dead func(pid int) bool) bool {
	switch {
	case s.key>>16 != semMagic>>16 || s.mode != semMode:
		return false
	case s.gid > 1 && s.gid <= 1<<22: // PID_MAX_LIMIT
		return dead(int(s.gid))
	}
	return now.Sub(s.changed) > unsignedAge
}

// dead reports whether there is no such process. A process of another user is
// EPERM, and lives. A pid that was given to a new process keeps the semaphore
// until that ends: this does no harm.
func dead(pid int) bool { return errors.Is(unix.Kill(pid, 0), unix.ESRCH) }
