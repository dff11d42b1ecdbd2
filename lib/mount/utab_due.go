package mount

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Due reports whether no command has called Due or Looked for that long, and
// notes the moment. The note is the time of the lock file, which libmount gives
// no meaning. If it cannot be written, the next command is due, too.
func (u Utab) Due(every time.Duration) bool {
	var st unix.Stat_t
	if err := unix.Lstat(u.lockFile(), &st); err == nil {
		since := time.Since(time.Unix(st.Mtim.Unix()))
		if since >= 0 && since < every {
			return false
		}
	}
	u.Looked()
	return true
}

// Looked notes that a command looks for stale lines now.
func (u Utab) Looked() {
	now := unix.NsecToTimespec(time.Now().UnixNano())
	_ = unix.UtimesNanoAt(unix.AT_FDCWD, u.lockFile(), []unix.Timespec{now, now},
		unix.AT_SYMLINK_NOFOLLOW)
}

func (u Utab) lockFile() string { return filepath.Join(u.Dir, "utab.lock") }
