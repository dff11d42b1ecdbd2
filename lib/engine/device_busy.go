package engine

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/fuser"
	"thinmount/lib/host"
	"thinmount/lib/registry"
)

// HoldersWait limits the search for the holders of a device, where there are
// very many processes. MaxHolders is how many of them an error names.
const (
	HoldersWait = 5 * time.Second
	MaxHolders  = 5
)

// PassingWait is how long a device or a mount may stay busy although no process
// keeps it open for long. A process may have had it open when the kernel
// looked, and not when we did: systemd, for example, walks over all mounts when
// it sets up a service. Or something holds it that belongs to no process, such
// as a file descriptor in flight in a socket. A process that is found twice,
// PassingPause apart, does keep it open.
const (
	PassingWait  = 2 * time.Second
	PassingPause = 100 * time.Millisecond
)

// SameHolders reports whether one of the holders found before is found again
// now.
func SameHolders(before, now []fuser.Holder) bool {
	return slices.ContainsFunc(now, func(h fuser.Holder) bool {
		return slices.ContainsFunc(before, func(b fuser.Holder) bool {
			return b.PID == h.PID && b.Command == h.Command
		})
	})
}

// OurCaller reports whether h is the umount(8) that has started this program.
// It has inherited its open files from the shell, which is in the list of
// holders, too.
func OurCaller(h fuser.Holder) bool { return h.PID == os.Getppid() && h.Command == "umount" }

// DeviceHolders lists who has a volume's device open. was is the path on which
// the volume was mounted, or "". It reads what every process has open, which
// takes time: callers ask after a removal has failed.
func DeviceHolders(ctx context.Context, dev dm.DevNo, was string) []fuser.Holder {
	if dev == (dm.DevNo{}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, HoldersWait)
	defer cancel()
	// If the time is up, the list has what was found until then.
	found, _ := fuser.OfDevice(ctx, "/proc",
		fuser.Device{Major: int(dev.Major), Minor: int(dev.Minor), Was: was})
	return slices.DeleteFunc(found, OurCaller)
}

// remains reports whether somebody holds a device who will not close it in a
// moment: the kernel, or a process that was found twice. udev does not count,
// because it closes the device when it has probed it. A pid of 0 is a holder
// that is no process: a mount, a device on top, swap.
func remains(before, now []fuser.Holder) bool {
	if slices.ContainsFunc(now, func(h fuser.Holder) bool { return h.PID == 0 }) {
		return true
	}
	return SameHolders(before, slices.DeleteFunc(slices.Clone(now), isUdev))
}

// isUdev reports whether a holder is a process of udev. Its workers are called
// (udev-worker) or systemd-udevd, by version.
func isUdev(h fuser.Holder) bool { return strings.Contains(h.Command, "udev") }

// DeviceBusy returns the error of a volume whose device is open. found are the
// holders of the device, if any were found. A mount in another mount namespace
// shows in no list of open files, so that the mount tables of all processes are
// read for it.
func DeviceBusy(
	s *host.System, c *dm.Control, object string, info dm.Info, found []fuser.Holder,
) error {
	path := c.NodePath(info.Name)
	if len(found) == 0 {
		if pid, dir := registry.MountedBy(
			registry.ProcTables("/proc"), info.Dev.String(), path,
		); pid != 0 {
			return registry.Elsewhere(object, pid, dir)
		}
		return &fault.Error{
			Object: object,
			Err: fault.Errorf(fault.ErrBusy, "%s is open, and no process has it: %s",
				path, unseen),
			Remedy: unseenRemedy,
		}
	}
	return &fault.Error{
		Object: object,
		Err: fault.Errorf(fault.ErrBusy, "%s is in use: %s",
			path, fuser.Line(found, MaxHolders)),
		Remedy: holdersRemedy(found),
	}
}

// unseen names what can hold a device and shows neither in /proc nor in /sys:
// an overlay holds a private mount of each layer, and the kernel itself holds a
// frozen filesystem that was unmounted (fs/super.c, freeze_super).
const (
	unseen       = "an overlay may have a layer on it, or it was unmounted while it was frozen"
	unseenRemedy = fault.Hint("findmnt -t overlay lists overlays; a frozen filesystem is mounted " +
		"again, and then thawed: fsfreeze -u DIR")
)

// holdersRemedy returns the command that makes the first holder release the
// device. The next attempt names the other holders.
func holdersRemedy(found []fuser.Holder) fault.Remedy {
	h := found[0]
	switch h.What {
	case fuser.Loop:
		return fault.Hint("losetup -d /dev/" + h.Command)
	case fuser.Swap:
		return fault.Hint("swapoff " + fault.ShellPath(h.Path))
	case fuser.Overlay:
		return fault.Unmount{Path: h.Path}
	case fuser.Above:
		return aboveRemedy(h)
	}
	return fault.Hint("end what uses it")
}

// aboveRemedy returns the command that removes the device h, which lies on a
// volume. The uuid of a dm device says which program made it: by libdm's
// convention it is the subsystem's name, a dash, and the rest.
func aboveRemedy(h fuser.Holder) fault.Remedy {
	text, _ := os.ReadFile("/sys/block/" + h.Command + "/dm/uuid")
	name, isDM := strings.CutPrefix(h.Path, "/dev/mapper/")
	switch kind, _, _ := strings.Cut(string(text), "-"); {
	case !isDM && strings.HasPrefix(h.Command, "md"):
		return fault.Hint("mdadm --stop " + fault.ShellPath(h.Path))
	case !isDM:
		return fault.Hint("lsblk shows what lies on it")
	case kind == "LVM":
		return fault.Hint("lvs " + fault.ShellPath(h.Path) +
			" names the volume group: vgchange -an VG")
	case kind == "CRYPT":
		return fault.Hint("cryptsetup close " + fault.ShellPath(name))
	default:
		return fault.Hint("dmsetup remove " + fault.ShellPath(name))
	}
}

// IsBusy reports whether err says that a device could not be removed because it
// is open.
func IsBusy(err error) bool { return errors.Is(err, dm.ErrBusy) }
