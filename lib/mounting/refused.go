package mounting

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/fuser"
	"thinmount/lib/mount"
	"thinmount/lib/spec"
)

// refused returns the error of a mount that the kernel, or an earlier step, has
// refused, with what to do. If the device carries another filesystem than the
// caller named, the error says so.
func (m *mounting) refused(a *engine.Activation, v catalog.Volume, fstype string, err error) error {
	object := v.Spec().String()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.WaitError(object, err)
	}
	if errors.Is(err, unix.EBUSY) {
		if found := othersOn(a); len(found) > 0 {
			return engine.DeviceBusy(m.System, m.c, object,
				dm.Info{Name: dmname.Volume(v.Spec()), Dev: a.Dev}, found)
		}
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		found, probeErr := fsprobe.Probe(a, v.Size)
		if probeErr == nil && !sameDriver(found.Type, fstype) {
			return &fault.Error{Object: object,
				Err:    fault.Retold{Text: "carries " + found.Type + ", not " + fstype, Err: err},
				Remedy: fault.Mount{Volume: v.Spec(), Path: m.dir}}
		}
	}
	remedy := m.wayOut
	if remedy == nil || namesCause(err) {
		remedy = afterRefusal(v.Spec(), fstype, err)
	}
	return &fault.Error{Object: object, Err: err, Remedy: remedy}
}

// othersOn lists the other processes that have the device open. The kernel
// refuses to mount a device that another user has claimed, for example one on
// which another device lies (block/bdev.c, bd_prepare_to_claim).
func othersOn(a *engine.Activation) []fuser.Holder {
	found := engine.DeviceHolders(context.Background(), a.Dev, "")
	return slices.DeleteFunc(found, func(h fuser.Holder) bool { return h.PID == os.Getpid() })
}

// kernelsMount says what the mount waits for. Replaying a long journal takes
// time, and ext4 with multiple mount protection waits up to a minute for a sign
// of another host (fs/ext4/mmp.c).
func kernelsMount(object, fstype string) string {
	what := "the kernel to mount " + object
	if fstype == "ext4" {
		what += " (a long journal, or multiple mount protection)"
	}
	return what
}

// sameDriver says whether a filesystem of type found may be mounted as asked:
// ext4 mounts ext2 and ext3, and ntfs has two drivers.
func sameDriver(found, asked string) bool {
	family := func(fstype string) string { return strings.TrimRight(fstype, "0123456789") }
	return found == asked || family(found) == family(asked)
}

// namesCause says whether err itself names the cause, so that the pool's state
// does not matter.
func namesCause(err error) bool {
	_, option := errors.AsType[*mount.OptionError](err)
	return option || errors.Is(err, mount.ErrNoProc) || errors.Is(err, unix.ENODEV) ||
		errors.Is(err, unix.EMFILE) || errors.Is(err, unix.EPERM)
}

// afterRefusal says what to do about a mount that was refused. It returns nil
// if the cause is not known.
func afterRefusal(volume spec.Volume, fstype string, err error) fault.Remedy {
	kernel := ""
	if e, ok := errors.AsType[*mount.Error](err); ok {
		kernel = strings.Join(e.Kernel, "\n")
	}
	_, option := errors.AsType[*mount.OptionError](err)
	switch {
	case errors.Is(err, mount.ErrMoved):
		return fault.Hint(
			"nobody but root should be able to write in the folders above a mount point")
	case option && hasManual(fstype):
		return fault.Hint("man 5 " + fstype + " has the options")
	case option:
		return nil
	case errors.Is(err, unix.ENODEV):
		return fault.Hint(
			"cat /proc/filesystems lists what this kernel can mount by now, and modprobe " +
				fstype + " says whether there is more")
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fault.Hint(
			"something keeps root from mounting in here: a sandbox, as by SystemCallFilter= or " +
				"CapabilityBoundingSet=, " +
				"a container or a security module")
	case tooNew(kernel):
		return fault.Hint("this kernel is too old for what the filesystem uses: take a newer one")
	case kernel != "" && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EUCLEAN)):
		return fault.Sayf("if the filesystem is damaged: %v",
			fault.OnDevice{Volume: volume, Program: inspection(fstype) + " $d"})
	}
	return nil
}

// hasManual says whether section 5 of the manual describes the filesystem's
// mount options.
func hasManual(fstype string) bool {
	switch fstype {
	case "ext2", "ext3", "ext4", "xfs", "btrfs":
		return true
	}
	return false
}

// tooNew says whether the kernel complains that it does not know a feature of
// the filesystem (fs/ext4/super.c, fs/xfs/libxfs/xfs_sb.c, fs/btrfs/disk-io.c,
// fs/f2fs/super.c).
func tooNew(kernel string) bool {
	kernel = strings.ToLower(kernel)
	for _, words := range []string{"unsupported optional features", "unknown incompatible features",
		"unknown read-only compatible features",
		"unsupported option features", "not supported", "unsupported feature"} {
		if strings.Contains(kernel, words) {
			return true
		}
	}
	return false
}

// inspection returns the command that checks a filesystem without writing to
// it.
func inspection(fstype string) string {
	switch fstype {
	case "xfs":
		return "xfs_repair -n"
	case "btrfs":
		return "btrfs check"
	case "f2fs":
		return "fsck.f2fs --dry-run"
	}
	return "fsck." + fstype + " -n"
}
