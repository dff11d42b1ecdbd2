package mount

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// vfsFlag is a flag of mount(2), and how it gets to the kernel. Each row of the
// table has one way at least, so that no option is taken and then forgotten.
// The kernel keeps some of them by mount, and some by filesystem. A filesystem
// that is mounted in two places has the second kind in common.
type vfsFlag struct {
	on, off string  // the options that set and clear it; off may be ""
	bit     uintptr // MS_*
	group   uintptr // of flags that exclude each other: on clears the others
	attr    int     // of one mount: fsmount(2), mount_setattr(2)
	super   bool    // of the filesystem as a whole: fsconfig(2) takes on, and off
	old     bool    // mount(2) alone can say it
	usual   bool    // what the kernel does unless told otherwise
	hidden  bool    // Unlike says nothing of it: not in the mount table, or not by on
	guards  bool    // it forbids something: a mount that has it unasked is worth a word
}

const atimes = unix.MS_NOATIME | unix.MS_RELATIME | unix.MS_STRICTATIME

// vfsFlags are the options of mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS.
// fsconfig(2) knows ro, rw, sync, async, dirsync, mand, nomand, lazytime and
// nolazytime (fs/fs_context.c, common_set_sb_flag and common_clear_sb_flag). It
// has no word for silent and iversion, so that these take the way of mount(2).
// Since Linux 5.15 mand has no effect but a warning in the log.
var vfsFlags = []vfsFlag{
	{on: "ro", off: "rw", bit: unix.MS_RDONLY,
		attr: unix.MOUNT_ATTR_RDONLY, super: true, hidden: true},
	{on: "nosuid", off: "suid", bit: unix.MS_NOSUID, attr: unix.MOUNT_ATTR_NOSUID, guards: true},
	{on: "nodev", off: "dev", bit: unix.MS_NODEV, attr: unix.MOUNT_ATTR_NODEV, guards: true},
	{on: "noexec", off: "exec", bit: unix.MS_NOEXEC, attr: unix.MOUNT_ATTR_NOEXEC, guards: true},
	{on: "sync", off: "async", bit: unix.MS_SYNCHRONOUS, super: true},
	{on: "dirsync", bit: unix.MS_DIRSYNC, super: true},
	{on: "lazytime", off: "nolazytime", bit: unix.MS_LAZYTIME, super: true},
	{on: "mand", off: "nomand", bit: unix.MS_MANDLOCK, super: true},
	{on: "silent", off: "loud", bit: unix.MS_SILENT, old: true, hidden: true},
	{on: "iversion", off: "noiversion", bit: unix.MS_I_VERSION, old: true, hidden: true},
	{on: "nosymfollow", off: "symfollow", bit: unix.MS_NOSYMFOLLOW,
		attr: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{on: "nodiratime", off: "diratime", bit: unix.MS_NODIRATIME, attr: unix.MOUNT_ATTR_NODIRATIME},
	{on: "noatime", off: "atime", bit: unix.MS_NOATIME, group: atimes,
		attr: unix.MOUNT_ATTR_NOATIME},
	{on: "strictatime", off: "nostrictatime", bit: unix.MS_STRICTATIME, group: atimes,
		attr: unix.MOUNT_ATTR_STRICTATIME, hidden: true},
	// The kernel's default: MOUNT_ATTR_RELATIME is 0, so that it has no attr.
	{on: "relatime", off: "norelatime", bit: unix.MS_RELATIME, group: atimes,
		usual: true, hidden: true},
}

// setFlag does what the option word says about the flags; ok is false if it is
// none of the table's. A later option wins, as with mount(8).
func setFlag(flags uintptr, word string) (_ uintptr, ok bool) {
	for _, f := range vfsFlags {
		switch word {
		case "":
		case f.on:
			return flags&^f.group | f.bit, true
		case f.off:
			return flags &^ f.bit, true
		}
	}
	return flags, false
}

// attributes are the flags of one mount (fsmount(2)). Without a kind of atime
// they say relatime, as mount(2) does without one (fs/namespace.c, path_mount).
func attributes(flags uintptr) int {
	attrs := 0
	for _, f := range vfsFlags {
		if flags&f.bit != 0 {
			attrs |= f.attr
		}
	}
	return attrs
}

// clearedAttributes is the clear mask of mount_setattr(2) for a remount: what
// is not asked for is turned off, as MS_REMOUNT does it. The kind of atime is a
// field, which the kernel wants cleared as a whole (fs/namespace.c,
// build_mount_kattr).
func clearedAttributes() uint64 {
	mask := uint64(unix.MOUNT_ATTR__ATIME)
	for _, f := range vfsFlags {
		mask |= uint64(f.attr)
	}
	return mask
}

// superblockFlags are the flags of the filesystem as a whole, by the names that
// fsconfig(2) takes. They count for all mounts of the filesystem.
func superblockFlags(flags uintptr) []string {
	var names []string
	for _, f := range vfsFlags {
		if f.super && flags&f.bit != 0 {
			names = append(names, f.on)
		}
	}
	return names
}

// superblockChanges names all flags of the filesystem as a whole, set or not:
// for dirsync the kernel has no word that clears it (fs/fs_context.c).
func superblockChanges(flags uintptr) []string {
	names := superblockFlags(flags)
	for _, f := range vfsFlags {
		if f.super && f.off != "" && flags&f.bit == 0 {
			names = append(names, f.off)
		}
	}
	return names
}

// oldFlags tells whether mount(2) alone can tell the kernel of a flag that is
// set: fsconfig(2) has no word for it.
func oldFlags(flags uintptr) bool {
	for _, f := range vfsFlags {
		if f.old && flags&f.bit != 0 {
			return true
		}
	}
	return false
}

// kernelName is the name by which the kernel's messages call a device: dm-3. It
// is "" for what is no block device, and where sysfs is not mounted.
func kernelName(device string) string {
	var st unix.Stat_t
	if unix.Stat(device, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return ""
	}
	link, err := os.Readlink(filepath.Join("/sys/dev/block", deviceNumber(uint64(st.Rdev))))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(filepath.Base(link))
}
