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

// Claims holds the two devices of a pool that is being made. Nobody else gets
// them from the first check until the last write: the kernel refuses a second
// exclusive open, of the whole disk for a partition, too (block/bdev.c,
// bd_prepare_to_claim). A pool in files has none.
type Claims struct{ Data, Metadata *os.File }

// Close lets the devices go.
func (c *Claims) Close() {
	for _, f := range []*os.File{c.Data, c.Metadata} {
		if f != nil {
			f.Close()
		}
	}
	*c = Claims{}
}

// Of is the device for a role, or nil.
func (c *Claims) Of(role string) *os.File {
	if role == "metadata" {
		return c.Metadata
	}
	return c.Data
}

// ClaimDevice opens a block device that is to carry a pool, and that nobody
// else uses.
func ClaimDevice(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, &fault.Error{Object: path, Err: fault.Wrap(fault.ErrBusy, unix.EBUSY), Remedy: fault.Hint("it is mounted or part of another device: lsblk " + fault.ShellPath(path))}
	}
	if err != nil {
		return nil, err
	}
	if _, err := DeviceOf(f); err != nil {
		f.Close()
		return nil, &fault.Error{Object: path, Err: fault.Wrap(fault.ErrUsage, unix.ENOTBLK), Remedy: fault.Sayf("for a pool on files use %v", fault.OptionDir)}
	}
	return f, nil
}

// RefuseShared refuses two devices that are one disk, wholly or in part, by
// whatever names. What cannot be looked at is left to the exclusive open.
func RefuseShared(data, metadata string) error {
	a, errA := NodeDevice(data)
	b, errB := NodeDevice(metadata)
	if errA != nil || errB != nil {
		return nil
	}
	if how := sharing(a, b, data, metadata, wholeDisk, loop.Over); how != "" {
		return &fault.Error{Object: metadata, Err: fault.Errorf(fault.ErrUsage, "%s, and one disk cannot carry both data and metadata; nothing was written", how),
			Remedy: fault.Hint("use two disks or two partitions: lsblk " + fault.ShellPath(data) + " " + fault.ShellPath(metadata))}
	}
	return nil
}

// sharing says what the device b, called named, has to do with a, or "".
func sharing(a, b dm.DevNo, data, named string, whole func(dm.DevNo) dm.DevNo, over func(dm.DevNo) (loop.File, error)) string {
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
	case errB == nil && fb.Device != dm.DevNo{} && sharing(a, fb.Device, data, named, whole, noLoop) != "":
		return "is a loop device over " + data
	case errA == nil && fa.Device != dm.DevNo{} && sharing(fa.Device, b, data, named, whole, noLoop) != "":
		return "lies below the loop device " + data
	}
	return ""
}

func noLoop(dm.DevNo) (loop.File, error) { return loop.File{}, unix.ENXIO }

// wholeDisk is the disk of a partition, and any other device itself.
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

// RefuseTakenNames refuses a pool whose devices' names are taken: activating it
// would find that out when the disks are wiped.
func RefuseTakenNames(c *dm.Control, cfg catalog.Pool) error {
	for _, part := range []string{dmname.Pool, dmname.Data, dmname.Meta, dmname.Head} {
		name := dmname.Part(cfg.Name, part)
		if info, err := c.Info(dm.ByName(name)); err == nil {
			return ForeignDevice("pool "+cfg.Name, name, info.UUID)
		}
	}
	return nil
}
