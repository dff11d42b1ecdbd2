package dm

import (
	"os"
	"path/filepath"
	"slices"
)

// CookieFlags tell udev's rules what to do with a device (libdevmapper.h,
// DM_UDEV_*). They travel in the upper half of the cookie.
type CookieFlags uint16

// The flags.
const (
	DisableDMRules         CookieFlags = 1 << iota // make no /dev/mapper link
	DisableSubsystemRules                          // LVM's, multipath's rules
	DisableDiskRules                               // no blkid, no links under /dev/disk
	DisableOtherRules                              // nothing that others have installed
	LowPriority                                    // yield /dev/disk links to others of the same UUID
	DisableLibraryFallback                         // udev alone makes nodes
	PrimarySource                                  // this event comes from a command, not by chance
)

// cookie is the event number that carries the flags alone. Its lower half, the
// semaphore's, is 0: `dmsetup udevcomplete` then counts nothing down.
func (f CookieFlags) cookie() uint32 { return uint32(f|PrimarySource) << 16 }

// nodes are the names under /dev/mapper. Where udevd runs with device-mapper's
// rules and shares our IPC namespace, it makes and removes them and tells us by
// a semaphore; everywhere else we do. Never do both.
type nodes struct {
	dir  string // /dev/mapper
	udev bool   // udevd keeps dir
}

// systemNodes finds out who keeps /dev/mapper on this machine.
func systemNodes() nodes {
	return nodes{dir: "/dev/mapper", udev: udevKeeps("/")}
}

// ruleDirs are where udev looks for rules (udev(7)), and /lib of systems that have
// not merged it with /usr/lib. Each is looked at by its name: a search through the
// folders of / would wake what is mounted there on demand, and wait for it.
var ruleDirs = []string{"etc/udev/rules.d", "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d"}

// udevKeeps looks below root for a running udevd, for the rule by which it
// counts the semaphore down, and whether that semaphore is the one that we see.
func udevKeeps(root string) bool {
	if _, err := os.Stat(filepath.Join(root, "run/udev/control")); err != nil {
		return false
	}
	if !slices.ContainsFunc(ruleDirs, func(dir string) bool { return lies(filepath.Join(root, dir, "95-dm-notify.rules")) }) {
		return false
	}
	ours, err := os.Readlink(filepath.Join(root, "proc/self/ns/ipc"))
	init, initErr := os.Readlink(filepath.Join(root, "proc/1/ns/ipc"))
	return err == nil && initErr == nil && ours == init
}
