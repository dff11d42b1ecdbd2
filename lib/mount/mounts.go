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
// that a filesystem has turned itself read-only.
const unannounced = time.Second

// Now returns the table as it is at the moment of the call.
func (m *Mounts) Now() (mountinfo.Table, error) {
	if m.file != nil && time.Since(m.since) < unannounced && !m.changed() {
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

// changed tells whether the kernel has changed the table since the file was
// opened (fs/namespace.c, touch_mnt_namespace; fs/proc_namespace.c,
// mounts_poll).
func (m *Mounts) changed() bool {
	fds := []unix.PollFd{{Fd: int32(m.file.Fd()), Events: unix.POLLPRI}}
	n, err := unix.Poll(fds, 0)
	return n != 0 || err != nil
}

// Close closes what Now has opened. Now may be called again.
func (m *Mounts) Close() {
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}
