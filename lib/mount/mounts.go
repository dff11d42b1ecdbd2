package mount

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// Mounts is the mount table of this thread's mount namespace, for a command
// that looks at it several times. It is read again only if it may have changed.
// The zero value has read nothing yet. It is for one goroutine.
type Mounts struct {
	file  *os.File // by which the kernel tells of changes; nil before the first read
	table mountinfo.Table
	since time.Time // when the reading began
}

// unannounced is how long a table is believed that the kernel calls unchanged.
// The kernel announces each mount, unmount and move, and changed options of a
// mount. It does not announce that a folder above a mount has another name, and
// that a filesystem has turned itself read-only. It is longer than a command
// takes on a slow machine if it does not wait for others.
const unannounced = 5 * time.Second

// Now returns the table as it is at the moment of the call.
func (m *Mounts) Now() (mountinfo.Table, error) {
	if time.Since(m.since) < unannounced && !m.Changed() {
		return m.table, nil
	}
	m.Close()
	m.since = time.Now()
	file, table, err := openTable()
	if err != nil {
		return table, err
	}
	m.file, m.table = file, table
	return table, nil
}

// Without returns the table that Now has returned last, less a mount. It is the
// table after the unmount of that mount, if Changed was false before.
func (m *Mounts) Without(id int) mountinfo.Table { return m.table.Without(id) }

// Changed tells whether the kernel has announced a change of the table since
// Now read it (fs/namespace.c, touch_mnt_namespace; fs/proc_namespace.c,
// mounts_poll). Before the first read it is true.
func (m *Mounts) Changed() bool {
	if m.file == nil {
		return true
	}
	fds := []unix.PollFd{{Fd: int32(m.file.Fd()), Events: unix.POLLPRI}}
	if n, err := unix.Poll(fds, 0); n == 0 && err == nil {
		return false
	}
	m.Close() // the kernel announces a change once
	return true
}

// Close closes what Now has opened. Now may be called again.
func (m *Mounts) Close() {
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}
