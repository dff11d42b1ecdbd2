package mount

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"thinmount/lib/kmsg"
)

// Remount gives what is mounted on target, which has to be the mount of that ID,
// the options o: the flags of the mount and of the superblock become just these,
// and the filesystem is told what is for it. Options go one by one (fspick(2)), so
// that a comma within one is not taken for two; mount(2) is for kernels that lack
// it.
func Remount(target string, id int, o Options) error {
	fd, err := hold(target, id)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = reconfigure(fd, id, append(superblockChanges(o.Flags), o.FS...))
	if errors.Is(err, unix.ENOSYS) {
		data, err := joinOptions(o.FS)
		if err == nil {
			err = unix.Mount("", descriptor(fd), "", o.Flags|unix.MS_REMOUNT, data)
		}
		return remountError(target, err)
	}
	if err != nil {
		return remountError(target, err)
	}
	attr := unix.MountAttr{Attr_set: uint64(attributes(o.Flags)), Attr_clr: allAttributes}
	err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr)
	if errors.Is(err, unix.ENOSYS) { // before Linux 5.12
		err = unix.Mount("", descriptor(fd), "", o.Flags|unix.MS_REMOUNT|unix.MS_BIND, "")
	}
	return remountError(target, err)
}

// MakeReadOnly makes the filesystem that is mounted on target, by the mount of
// that ID, read-only, and changes nothing else. EBUSY says that files are open for
// writing.
func MakeReadOnly(target string, id int) error {
	fd, err := hold(target, id)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = reconfigure(fd, id, []string{"ro"})
	if errors.Is(err, unix.ENOSYS) {
		err = unix.Mount("", descriptor(fd), "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	}
	return remountError(target, err)
}

// allAttributes is all that mount_setattr(2) is to clear before it sets: as
// MS_REMOUNT does, but for the kind of atime, which has bits for itself.
const allAttributes = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC |
	unix.MOUNT_ATTR__ATIME | unix.MOUNT_ATTR_NODIRATIME | unix.MOUNT_ATTR_NOSYMFOLLOW

// superblockChanges names the flags of the filesystem as a whole, set or not.
func superblockChanges(flags uintptr) []string {
	on := superblockFlags(flags)
	for _, f := range []struct{ set, unset string }{{"ro", "rw"}, {"sync", "async"}, {"lazytime", "nolazytime"}, {"mand", "nomand"}} {
		if !slices.Contains(on, f.set) {
			on = append(on, f.unset)
		}
	}
	return on
}

// reconfigure changes the filesystem whose mount is open as fd.
func reconfigure(fd, id int, options []string) error {
	log := kmsg.Begin()
	defer log.Close()
	fs, err := unix.Fspick(fd, "", unix.FSPICK_CLOEXEC|unix.FSPICK_EMPTY_PATH)
	if err != nil {
		return err
	}
	defer unix.Close(fs)
	err = setOptions(fs, options)
	if err == nil {
		err = unix.FsconfigReconfigure(fs)
	}
	if err == nil {
		return nil
	}
	said := contextLog(fs)
	if len(said) == 0 {
		said = log.Messages(remountWords(id)...)
	}
	if len(said) == 0 {
		return err
	}
	return &kernelError{said, err}
}

// remountWords find the messages about the filesystem of a mount.
func remountWords(id int) []string {
	table, err := Table()
	if err != nil {
		return nil
	}
	for _, m := range table {
		if m.ID == id {
			return logWords(Request{Source: m.Source, FSType: m.FSType})
		}
	}
	return nil
}

func remountError(target string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("remount %s: %w", target, err)
}
