package thin

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/holders"
)

// deviceHolders lists who has a volume's device open. Was is where it was
// mounted, or "".
func deviceHolders(ctx context.Context, dev dm.DevNo, was string) []holders.Holder {
	if dev == (dm.DevNo{}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, holdersWait)
	defer cancel()
	// What it did not come to in time is not worth an error of its own.
	found, _ := holders.OfDevice(ctx, "/proc", holders.Device{Major: int(dev.Major), Minor: int(dev.Minor), Was: was})
	return slices.DeleteFunc(found, ourCaller)
}

// remains tells whether somebody holds a device who will not let it go by
// himself in a moment: the kernel, or a process that two looks have found. Udev
// looks at a device and goes on.
func remains(before, now []holders.Holder) bool {
	if slices.ContainsFunc(now, func(h holders.Holder) bool { return h.PID == 0 }) {
		return true
	}
	return stays(before, slices.DeleteFunc(slices.Clone(now), isUdev))
}

func isUdev(h holders.Holder) bool { return strings.Contains(h.Command, "udev") }

// deviceBusy is the error of a volume whose device somebody has open.
func (s *System) deviceBusy(c *dm.Control, object string, info dm.Info, found []holders.Holder) error {
	path := c.NodePath(info.Name)
	if len(found) == 0 {
		if pid, dir := mountedBy(procTables("/proc"), info.Dev.String(), path); pid != 0 {
			return elsewhere(object, pid, dir)
		}
		return &Error{Object: object, Err: reason(ErrBusy, "%s is open, and no process has it: %s", path, unseen), Hint: unseenHint}
	}
	return &Error{Object: object, Err: reason(ErrBusy, "%s is in use: %s", path, holders.Line(found, maxHolders)), Hint: holdersHint(found)}
}

// unseen is what holds a device and shows neither in /proc nor in /sys: an
// overlay holds a mount of its own of each layer, and a frozen filesystem itself
// (fs/super.c, freeze_super).
const (
	unseen     = "an overlay may have a layer on it, or it was unmounted while it was frozen"
	unseenHint = "findmnt -t overlay lists overlays; a frozen filesystem is mounted again, and then thawed: fsfreeze -u DIR"
)

// holdersHint is how the first of the kernel's holders is made to let go, or a
// process.
func holdersHint(found []holders.Holder) string {
	h := found[0]
	switch h.What {
	case holders.Loop:
		return "losetup -d /dev/" + h.Command
	case holders.Swap:
		return "swapoff " + shellPath(h.Path)
	case holders.Overlay:
		return "umount " + shellPath(h.Path)
	case holders.Above:
		return aboveHint(h)
	}
	return "end what uses it"
}

// aboveHint is how a device is removed that lies on a volume. What made it tells
// its uuid (libdm's convention: the subsystem's name, a dash, the rest).
func aboveHint(h holders.Holder) string {
	text, _ := os.ReadFile("/sys/block/" + h.Command + "/dm/uuid")
	name, isDM := strings.CutPrefix(h.Path, "/dev/mapper/")
	switch kind, _, _ := strings.Cut(string(text), "-"); {
	case !isDM && strings.HasPrefix(h.Command, "md"):
		return "mdadm --stop " + shellPath(h.Path)
	case !isDM:
		return "lsblk shows what lies on it"
	case kind == "LVM":
		return "lvs " + shellPath(h.Path) + " names the volume group: vgchange -an VG"
	case kind == "CRYPT":
		return "cryptsetup close " + shellPath(name)
	default:
		return "dmsetup remove " + shellPath(name)
	}
}

// isBusy tells whether a device could not be removed because it is open.
func isBusy(err error) bool { return errors.Is(err, dm.ErrBusy) }
