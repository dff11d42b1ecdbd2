package mount

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"thinmount/lib/kmsg"
	"thinmount/lib/mountinfo"
)

// Remount gives what is mounted on target, which has to be the mount of that
// ID, the options o: the flags of the mount and of the superblock become just
// these, and the filesystem is told what is for it. Options go one by one
// (fspick(2)), so that a comma within one is not taken for two; mount(2) is for
// kernels that lack it, and for flags that it alone knows. The kernel collects
// them first: one that it refuses by itself has changed nothing (fs/fsopen.c,
// fsconfig(2)).
func Remount(target string, id int, o Options) error {
	fd, err := hold(target, id)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	at, err := byID(id)
	if err != nil {
		return remountError(target, err)
	}
	// A filesystem may take discard for a change that it refuses at a remount:
	// it is told only if it differs.
	options := append(slices.Clone(o.FS), o.discardChange(at)...)
	err = unix.ENOSYS
	if !oldFlags(o.Flags) {
		err = reconfigure(fd, at, append(superblockChanges(o.Flags), options...))
	}
	if errors.Is(err, unix.ENOSYS) {
		data, err := joinOptions(options)
		if err == nil {
			err = unix.Mount("", descriptor(fd), "", o.Flags|unix.MS_REMOUNT, data)
		}
		return remountError(target, err)
	}
	if err != nil {
		return remountError(target, err)
	}
	// The filesystem came first: if it had refused, the mount would have kept
	// its flags as well.
	attr := unix.MountAttr{Attr_set: uint64(attributes(o.Flags)), Attr_clr: clearedAttributes()}
	err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr)
	if errors.Is(err, unix.ENOSYS) { // before Linux 5.12
		err = unix.Mount("", descriptor(fd), "", o.Flags|unix.MS_REMOUNT|unix.MS_BIND, "")
	}
	return remountError(target, err)
}

// MakeReadOnly makes the filesystem that is mounted on target, by the mount of
// that ID, read-only, and changes nothing else. EBUSY says that files are open
// for writing, or deleted and still open (fs/super.c, reconfigure_super, which
// calls sb_prepare_remount_readonly). It writes out what is dirty first.
func MakeReadOnly(target string, id int) error {
	fd, err := hold(target, id)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	at, err := byID(id)
	if err == nil {
		err = reconfigure(fd, at, []string{"ro"})
	}
	if errors.Is(err, unix.ENOSYS) {
		err = unix.Mount("", descriptor(fd), "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	}
	return remountError(target, err)
}

// reconfigure changes the filesystem whose mount is open as fd. The words of
// the kernel, if there are any, are in the error. Without fspick(2) it is
// ENOSYS.
func reconfigure(fd int, at *mountinfo.Info, options []string) error {
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
		said = log.Messages(logWords(Request{Source: at.Source, FSType: at.FSType})...)
	}
	if len(said) == 0 {
		return err
	}
	return &kernelError{said, err}
}

// byID finds a mount of this mount namespace. EINVAL says that there is none,
// as umount2(2) says it.
func byID(id int) (*mountinfo.Info, error) {
	table, err := Table()
	if err != nil {
		return nil, err
	}
	m := table.ByID(id)
	if m == nil {
		return nil, unix.EINVAL
	}
	return m, nil
}

func remountError(target string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("remount %s: %w", target, err)
}
