package mount

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// attributes are the flags of one mount (fsmount(2)).
func attributes(flags uintptr) int {
	attrs := 0
	for _, f := range []struct {
		flag uintptr
		attr int
	}{
		{unix.MS_RDONLY, unix.MOUNT_ATTR_RDONLY},
		{unix.MS_NOSUID, unix.MOUNT_ATTR_NOSUID},
		{unix.MS_NODEV, unix.MOUNT_ATTR_NODEV},
		{unix.MS_NOEXEC, unix.MOUNT_ATTR_NOEXEC},
		{unix.MS_NOATIME, unix.MOUNT_ATTR_NOATIME},
		{unix.MS_STRICTATIME, unix.MOUNT_ATTR_STRICTATIME},
		{unix.MS_NODIRATIME, unix.MOUNT_ATTR_NODIRATIME},
		{unix.MS_NOSYMFOLLOW, unix.MOUNT_ATTR_NOSYMFOLLOW},
	} {
		if flags&f.flag != 0 {
			attrs |= f.attr
		}
	}
	return attrs
}

// superblockFlags are the flags of the filesystem as a whole, by the names that
// fsconfig(2) takes. "iversion" is none: ext4, xfs and btrfs count without.
func superblockFlags(flags uintptr) []string {
	var names []string
	for _, f := range []struct {
		flag uintptr
		name string
	}{
		{unix.MS_RDONLY, "ro"},
		{unix.MS_SYNCHRONOUS, "sync"},
		{unix.MS_DIRSYNC, "dirsync"},
		{unix.MS_LAZYTIME, "lazytime"},
		{unix.MS_MANDLOCK, "mand"},
	} {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// kernelName is the name by which the kernel's messages call a device: dm-3.
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
