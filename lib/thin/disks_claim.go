package thin

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/loop"
)

// claims holds the two devices of a pool that is being made. Nobody else gets
// them from the first check until the last write: the kernel refuses a second
// exclusive open, of the whole disk for a partition, too (block/bdev.c,
// bd_prepare_to_claim). A pool in files has none.
type claims struct{ data, metadata *os.File }

// Close lets the devices go.
func (c *claims) Close() {
	for _, f := range []*os.File{c.data, c.metadata} {
		if f != nil {
			f.Close()
		}
	}
	*c = claims{}
}

// of is the device for a role, or nil.
func (c *claims) of(role string) *os.File {
	if role == "metadata" {
		return c.metadata
	}
	return c.data
}

// claimDevice opens a block device that is to carry a pool, and that nobody
// else uses.
func claimDevice(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, &Error{Object: path, Err: wrap(ErrBusy, unix.EBUSY), Hint: "it is mounted or part of another device: lsblk " + shellPath(path)}
	}
	if err != nil {
		return nil, err
	}
	if _, err := deviceOf(f); err != nil {
		f.Close()
		return nil, &Error{Object: path, Err: wrap(ErrUsage, unix.ENOTBLK), Hint: "for a pool on files use --dir"}
	}
	return f, nil
}

// refuseShared refuses two devices that are one disk, wholly or in part, by
// whatever names. What cannot be looked at is left to the exclusive open.
func refuseShared(data, metadata string) error {
	a, errA := nodeDevice(data)
	b, errB := nodeDevice(metadata)
	if errA != nil || errB != nil {
		return nil
	}
	if how := sharing(a, b, data, metadata, wholeDisk, loop.Over); how != "" {
		return &Error{Object: metadata, Err: reason(ErrUsage, "%s, and one disk cannot carry both data and metadata; nothing was written", how),
			Hint: "use two disks or two partitions: lsblk " + shellPath(data) + " " + shellPath(metadata)}
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

// refuseTakenNames refuses a pool whose devices' names are taken: activating it
// would find that out when the disks are wiped.
func refuseTakenNames(c *dm.Control, cfg catalog.Pool) error {
	for _, part := range []string{partPool, partData, partMeta, partHead} {
		name := partName(cfg.Name, part)
		if info, err := c.Info(dm.ByName(name)); err == nil {
			return foreignDevice("pool "+cfg.Name, name, info.UUID)
		}
	}
	return nil
}
