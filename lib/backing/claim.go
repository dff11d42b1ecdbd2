package backing

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/loop"
)

// Claims holds the two devices of a pool that is being made, open with O_EXCL
// from the first check to the last write. Nobody else can claim them in that
// time: the kernel refuses a second exclusive open, also of the whole disk if a
// partition is open (block/bdev.c, bd_prepare_to_claim). For a pool in files,
// both are nil.
type Claims struct{ Data, Metadata *os.File }

// Close closes the devices, so that others can claim them.
func (c *Claims) Close() {
	for _, f := range []*os.File{c.Data, c.Metadata} {
		if f != nil {
			f.Close()
		}
	}
	*c = Claims{}
}

// Of returns the device for a role, "data" or "metadata", or nil if there is
// none.
func (c *Claims) Of(role string) *os.File {
	if role == "metadata" {
		return c.Metadata
	}
	return c.Data
}

// ClaimDevice opens the block device at path, which is to carry a pool, with
// O_EXCL. The error is fault.ErrBusy if somebody else uses the device, and
// fault.ErrUsage if path is not a block device.
func ClaimDevice(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, &fault.Error{Object: path, Err: fault.Wrap(fault.ErrBusy, unix.EBUSY),
			Remedy: fault.Hint(
				"it is mounted or part of another device: lsblk " + fault.ShellPath(path))}
	}
	if err != nil {
		return nil, err
	}
	if _, err := DeviceOf(f); err != nil {
		f.Close()
		return nil, &fault.Error{Object: path, Err: fault.Wrap(fault.ErrUsage, unix.ENOTBLK),
			Remedy: fault.Sayf("for a pool on files use %v", fault.OptionDir)}
	}
	return f, nil
}

// RefuseShared returns an error (fault.ErrUsage) if two paths lead to one disk,
// or to parts of it that overlap. It compares devices, partitions and loop
// devices, because one disk may have several names. If it cannot look at one of
// the devices, it returns nil, and the exclusive open decides.
func RefuseShared(data, metadata string) error {
	a, errA := NodeDevice(data)
	b, errB := NodeDevice(metadata)
	if errA != nil || errB != nil {
		return nil
	}
	if how := sharing(a, b, data, metadata, wholeDisk, loop.Over); how != "" {
		return &fault.Error{Object: metadata,
			Err: fault.Errorf(fault.ErrUsage,
				"%s, and one disk cannot carry both data and metadata; nothing was written", how),
			Remedy: fault.Hint(
				"use two disks or two partitions: lsblk " + fault.ShellPath(data) + " " +
					fault.ShellPath(metadata))}
	}
	return nil
}

// sharing says how the device b, at the path named, overlaps with the device a,
// at the path data. "" means that they do not overlap. whole returns the disk
// of a partition. over returns what a loop device is attached to.
func sharing(a, b dm.DevNo, data, named string, whole func(dm.DevNo) dm.DevNo,
	over func(dm.DevNo) (loop.File, error)) string {
	switch {
	case a == b && data == named:
		return "is given twice"
	case a == b:
		return "is " + data + " by another name"
	case whole(b) == a:
		return "is a partition of " + data
	case whole(a) == b:
		return "is the disk of the partition " + data
	}
	fa, errA := over(a)
	fb, errB := over(b)
	switch {
	case errA == nil && errB == nil && fa.Overlaps(fb):
		return "lies over the same file as " + data
	case errB == nil && fb.Device != dm.DevNo{} &&
		sharing(a, fb.Device, data, named, whole, noLoop) != "":
		return "is a loop device over " + data
	case errA == nil && fa.Device != dm.DevNo{} &&
		sharing(fa.Device, b, data, named, whole, noLoop) != "":
		return "lies below the loop device " + data
	}
	return ""
}

// noLoop stands in for loop.Over when sharing has looked through a loop device:
// it does not look through a second one.
func noLoop(dm.DevNo) (loop.File, error) { return loop.File{}, unix.ENXIO }

// wholeDisk returns the disk of a partition. It returns any other device
// itself, and so it does where sysfs does not show the disk.
func wholeDisk(dev dm.DevNo) dm.DevNo {
	dir := "/sys/dev/block/" + dev.String()
	if _, err := os.Lstat(dir + "/partition"); err != nil {
		return dev
	}
	b, err := os.ReadFile(dir + "/../dev")
	if err != nil {
		return dev
	}
	whole, err := dm.ParseDevNo(strings.TrimSpace(string(b)))
	if err != nil {
		return dev
	}
	return whole
}

// RefuseTakenNames returns an error (fault.ErrExists) if a device already has a
// name that the pool's devices are to get. Without it, only the activation
// would find that out, when the disks are wiped already.
func RefuseTakenNames(c *dm.Control, cfg catalog.Pool) error {
	for _, part := range []string{dmname.Pool, dmname.Data, dmname.Meta, dmname.Head} {
		name := dmname.Part(cfg.Name, part)
		if info, err := c.Info(dm.ByName(name)); err == nil {
			return ForeignDevice("pool "+cfg.Name, name, info.UUID)
		}
	}
	return nil
}
