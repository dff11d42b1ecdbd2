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

// HoldersWait bounds the search for holders where there are very many processes;
// MaxHolders is how many of them a line has room for.
const (
	HoldersWait = 5 * time.Second
	MaxHolders  = 5
)

// PassingWait is how long a mount may be busy by nobody who stays: somebody had it
// open when the kernel looked, and no more when we did (systemd walks over all
// mounts when it sets up a service); or a thing is in the way that no process has,
// such as a descriptor under way in a socket. Who holds it at two looks that are
// PassingPause apart has come to stay.
const (
	PassingWait  = 2 * time.Second
	PassingPause = 100 * time.Millisecond
)

// SameHolders tells whether one who was seen holding the mount is seen again.
func SameHolders(before, now []fuser.Holder) bool {
	return slices.ContainsFunc(now, func(h fuser.Holder) bool {
		return slices.ContainsFunc(before, func(b fuser.Holder) bool { return b.PID == h.PID && b.Command == h.Command })
	})
}

// OurCaller is the umount(8) that has called us: what it has open it has from the
// shell, which is named as well.
func OurCaller(h fuser.Holder) bool { return h.PID == os.Getppid() && h.Command == "umount" }

// DeviceHolders lists who has a volume's device open. Was is where it was
// mounted, or "".
func DeviceHolders(ctx context.Context, dev dm.DevNo, was string) []fuser.Holder {
	if dev == (dm.DevNo{}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, HoldersWait)
	defer cancel()
	// What it did not come to in time is not worth an error of its own.
	found, _ := fuser.OfDevice(ctx, "/proc", fuser.Device{Major: int(dev.Major), Minor: int(dev.Minor), Was: was})
	return slices.DeleteFunc(found, OurCaller)
}

// remains tells whether somebody holds a device who will not let it go by
// himself in a moment: the kernel, or a process that two looks have found. Udev
// looks at a device and goes on.
func remains(before, now []fuser.Holder) bool {
	if slices.ContainsFunc(now, func(h fuser.Holder) bool { return h.PID == 0 }) {
		return true
	}
	return SameHolders(before, slices.DeleteFunc(slices.Clone(now), isUdev))
}

func isUdev(h fuser.Holder) bool { return strings.Contains(h.Command, "udev") }

// DeviceBusy is the error of a volume whose device somebody has open.
func DeviceBusy(s *host.System, c *dm.Control, object string, info dm.Info, found []fuser.Holder) error {
	path := c.NodePath(info.Name)
	if len(found) == 0 {
		if pid, dir := registry.MountedBy(registry.ProcTables("/proc"), info.Dev.String(), path); pid != 0 {
			return registry.Elsewhere(object, pid, dir)
		}
		return &fault.Error{Object: object, Err: fault.Errorf(fault.ErrBusy, "%s is open, and no process has it: %s", path, unseen), Remedy: unseenRemedy}
	}
	return &fault.Error{Object: object, Err: fault.Errorf(fault.ErrBusy, "%s is in use: %s", path, fuser.Line(found, MaxHolders)), Remedy: holdersRemedy(found)}
}

// unseen is what holds a device and shows neither in /proc nor in /sys: an
// overlay holds a mount of its own of each layer, and a frozen filesystem itself
// (fs/super.c, freeze_super).
const (
	unseen       = "an overlay may have a layer on it, or it was unmounted while it was frozen"
	unseenRemedy = fault.Hint("findmnt -t overlay lists overlays; a frozen filesystem is mounted again, and then thawed: fsfreeze -u DIR")
)

// holdersRemedy is how the first of the kernel's holders is made to let go, or a
// process.
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

// aboveRemedy is how a device is removed that lies on a volume. What made it tells
// its uuid (libdm's convention: the subsystem's name, a dash, the rest).
func aboveRemedy(h fuser.Holder) fault.Remedy {
	text, _ := os.ReadFile("/sys/block/" + h.Command + "/dm/uuid")
	name, isDM := strings.CutPrefix(h.Path, "/dev/mapper/")
	switch kind, _, _ := strings.Cut(string(text), "-"); {
	case !isDM && strings.HasPrefix(h.Command, "md"):
		return fault.Hint("mdadm --stop " + fault.ShellPath(h.Path))
	case !isDM:
		return fault.Hint("lsblk shows what lies on it")
	case kind == "LVM":
		return fault.Hint("lvs " + fault.ShellPath(h.Path) + " names the volume group: vgchange -an VG")
	case kind == "CRYPT":
		return fault.Hint("cryptsetup close " + fault.ShellPath(name))
	default:
		return fault.Hint("dmsetup remove " + fault.ShellPath(name))
	}
}

// IsBusy tells whether a device could not be removed because it is open.
func IsBusy(err error) bool { return errors.Is(err, dm.ErrBusy) }
