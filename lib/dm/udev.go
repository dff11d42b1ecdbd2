package dm

import (
	"os"
	"path/filepath"
	"slices"
)

// CookieFlags tell udev's rules what to do with a device (libdevmapper.h,
// DM_UDEV_*; 10-dm.rules). They are the upper half of the cookie.
//
// DisableDiskRules and DisableOtherRules keep udev from probing the device, and
// from watching it for writes (inotify): these two are most of the openings
// that make a removal fail with EBUSY. With DisableOtherRules systemd makes no
// .device unit for it, so that nothing under /dev may be awaited there
// (99-systemd.rules). Without PrimarySource the rules take an event for one
// that happened by itself, and make no link for a new device.
type CookieFlags uint16

const (
	DisableDMRules         CookieFlags = 1 << iota // make no /dev/mapper link
	DisableSubsystemRules                          // LVM's, multipath's rules
	DisableDiskRules                               // no blkid, no links under /dev/disk
	DisableOtherRules                              // nothing that others have installed
	LowPriority                                    // yield /dev/disk links to others
	DisableLibraryFallback                         // udev alone makes nodes
	PrimarySource                                  // this event comes from a command, not by chance
)

// cookie is the event number with the flags alone. Its lower half, the
// semaphore's, is 0: `dmsetup udevcomplete` then counts nothing down.
func (f CookieFlags) cookie() uint32 { return uint32(f|PrimarySource) << 16 }

// nodes are the names under /dev/mapper. Where udevd runs with device-mapper's
// rules and shares our IPC namespace, it makes and removes them, and counts
// down a semaphore when it has; everywhere else this package does. Both at once
// would race: each would take the other's name for a leftover.
type nodes struct {
	dir  string // /dev/mapper
	udev bool   // udevd keeps dir
}

// systemNodes finds out whether udev keeps /dev/mapper on this machine.
func systemNodes() nodes {
	return nodes{dir: "/dev/mapper", udev: udevKeeps("/")}
}

// ruleDirs are the folders of udev's rules (udev(7)), with /lib for systems
// that have not merged it with /usr/lib. Each is named: a search through the
// folders of / would trigger automounts there, and wait for them.
var ruleDirs = []string{
	"etc/udev/rules.d", "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d",
	"lib/udev/rules.d",
}

// udevKeeps reports whether, below root, a udevd runs, the rule is there by
// which it counts semaphores down, and process 1 (and so udevd) is in our IPC
// namespace.
func udevKeeps(root string) bool {
	if _, err := os.Stat(filepath.Join(root, "run/udev/control")); err != nil {
		return false
	}
	hasRule := func(dir string) bool { return lies(filepath.Join(root, dir, "95-dm-notify.rules")) }
	if !slices.ContainsFunc(ruleDirs, hasRule) {
		return false
	}
	ours, err := os.Readlink(filepath.Join(root, "proc/self/ns/ipc"))
	init, initErr := os.Readlink(filepath.Join(root, "proc/1/ns/ipc"))
	return err == nil && initErr == nil && ours == init
}
