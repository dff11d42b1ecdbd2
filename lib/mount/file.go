package mount

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// File hands the mount over as a file, to which a process in any mount
// namespace can give a place (move_mount(2)). The mount ends with the last copy
// of the file. There is none on kernels without fsopen(2), and for flags that
// only mount(2) knows.
func (m *Made) File() (*os.File, Result, error) {
	r := m.request
	if m.fd < 0 {
		err := error(unix.ENOSYS)
		if oldFlags(r.Options.Flags) {
			err = fmt.Errorf("an option is for mount(2) alone: %w", unix.EOPNOTSUPP)
		}
		return nil, Result{},
			&Error{Op: "fsmount", Source: r.Source, Target: r.Target, FSType: r.FSType, Err: err}
	}
	f := os.NewFile(uintptr(m.fd), r.Source)
	m.fd = -1
	return f, m.result, nil
}
