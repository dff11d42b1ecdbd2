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
)

// refused is the error of a mount that the kernel, or something before it, has
// refused. What lies on the device tells whether it was asked for as something
// else.
func (m *mounting) refused(a *engine.Activation, v catalog.Volume, fstype string, err error) error {
	object := v.Pool + "/" + v.Name
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.WaitError(object, err)
	}
	if errors.Is(err, unix.EBUSY) {
		if found := othersOn(a); len(found) > 0 {
			return engine.DeviceBusy(m.System, m.c, object, dm.Info{Name: dmname.Volume(v.Pool, v.Name), Dev: a.Dev}, found)
		}
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		found, probeErr := fsprobe.Probe(a, v.Size)
		if probeErr == nil && !sameDriver(found.Type, fstype) {
			return &fault.Error{Object: object, Err: fault.Retold{Text: "carries " + found.Type + ", not " + fstype, Err: err},
				Remedy: fault.Mount{Volume: object, Path: m.dir}}
		}
	}
	remedy := m.wayOut
	if remedy == nil || namesCause(err) {
		remedy = afterRefusal(object, fstype, err)
	}
	return &fault.Error{Object: object, Err: err, Remedy: remedy}
}

// othersOn lists who else has the device open. One that carries another device,
// say, is not given to a filesystem (block/bdev.c, bd_prepare_to_claim).
func othersOn(a *engine.Activation) []fuser.Holder {
	found := engine.DeviceHolders(context.Background(), a.Dev, "")
	return slices.DeleteFunc(found, func(h fuser.Holder) bool { return h.PID == os.Getpid() })
}

// kernelsMount is what a mount waits for. A journal may be long; and ext4 with
// multiple mount protection waits up to a minute for a sign of other hosts
// (fs/ext4/mmp.c).
func kernelsMount(object, fstype string) string {
	what := "the kernel to mount " + object
	if fstype == "ext4" {
		what += " (a long journal, or multiple mount protection)"
	}
	return what
}

// sameDriver tells whether a filesystem of one name may be mounted as another:
// ext4 mounts its forerunners, and ntfs has two drivers.
func sameDriver(found, asked string) bool {
	family := func(fstype string) string { return strings.TrimRight(fstype, "0123456789") }
	return found == asked || family(found) == family(asked)
}

// namesCause tells whether an error itself says what is wrong, whatever state the
// pool is in.
func namesCause(err error) bool {
	_, option := errors.AsType[*mount.OptionError](err)
	return option || errors.Is(err, mount.ErrNoProc) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EMFILE) || errors.Is(err, unix.EPERM)
}

// afterRefusal is what to do about a mount that was refused, where the cause is
// known: nil elsewhere.
func afterRefusal(object, fstype string, err error) fault.Remedy {
	kernel := ""
	if e, ok := errors.AsType[*mount.Error](err); ok {
		kernel = strings.Join(e.Kernel, "\n")
	}
	_, option := errors.AsType[*mount.OptionError](err)
	switch {
	case errors.Is(err, mount.ErrMoved):
		return fault.Hint("nobody but root should be able to write in the folders above a mount point")
	case option && hasManual(fstype):
		return fault.Hint("man 5 " + fstype + " has the options")
	case option:
		return nil
	case errors.Is(err, unix.ENODEV):
		return fault.Hint("cat /proc/filesystems lists what this kernel can mount by now, and modprobe " + fstype + " says whether there is more")
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fault.Hint("something keeps root from mounting in here: a sandbox, as by SystemCallFilter= or CapabilityBoundingSet=, " +
			"a container or a security module")
	case tooNew(kernel):
		return fault.Hint("this kernel is too old for what the filesystem uses: take a newer one")
	case kernel != "" && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EUCLEAN)):
		return fault.Sayf("if the filesystem is damaged: %v", fault.OnDevice{Volume: object, Program: inspection(fstype) + " $d"})
	}
	return nil
}

// hasManual tells whether there is a manual of a filesystem's mount options.
func hasManual(fstype string) bool {
	switch fstype {
	case "ext2", "ext3", "ext4", "xfs", "btrfs":
		return true
	}
	return false
}

// tooNew tells whether the kernel says that it lacks what a filesystem was made
// with (fs/ext4/super.c, fs/xfs/libxfs/xfs_sb.c, fs/btrfs/disk-io.c,
// fs/f2fs/super.c).
func tooNew(kernel string) bool {
	kernel = strings.ToLower(kernel)
	for _, words := range []string{"unsupported optional features", "unknown incompatible features", "unknown read-only compatible features",
		"unsupported option features", "not supported", "unsupported feature"} {
		if strings.Contains(kernel, words) {
			return true
		}
	}
	return false
}

// inspection is the command that looks at a filesystem without writing to it.
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
