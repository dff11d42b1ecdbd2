package backing

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
)

// absent are the errors of opening a file or device that does not exist, or a
// drive without a medium.
var absent = []error{unix.ENOENT, unix.ENOTDIR, unix.ENXIO, unix.ENODEV, unix.ENOMEDIUM}

// IsAbsent tells whether err says that a file or device does not exist, or that
// a drive has no medium.
func IsAbsent(err error) bool {
	return slices.ContainsFunc(absent, func(errno error) bool { return errors.Is(err, errno) })
}

// AbsentPath tells whether nothing is at path, or a device without a medium.
func AbsentPath(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return IsAbsent(err)
	}
	dev, err := NodeDevice(path)
	return err == nil && IsEmpty(dev)
}

// IsEmpty tells whether a block device has size 0: a drive without a medium, or
// a loop device without a file.
func IsEmpty(dev dm.DevNo) bool {
	b, err := os.ReadFile("/sys/dev/block/" + dev.String() + "/size")
	return err == nil && strings.TrimSpace(string(b)) == "0"
}

// NotAtPath says what is wrong with an inactive pool if one of its parts is not
// where pool.json says.
func NotAtPath(part string, b catalog.Backing) string {
	if AbsentPath(b.Path) {
		return "its " + LabelRole(part) + " " + b.Kind + " " + b.Path + " is not there"
	}
	return "its " + LabelRole(part) + " is not at " + b.Path
}

// NotAtPathRemedy returns what a user can do about that.
func NotAtPathRemedy(pool string, b catalog.Backing) fault.Remedy {
	if b.Kind == catalog.KindDevice {
		return fault.Sayf("a disk is known by its label, under any name: %v looks for it",
			fault.ActivatePool{Pool: pool})
	}
	return AbsentRemedy(b)
}

// AbsentRemedy returns what a user can do about a disk or file that does not
// exist.
func AbsentRemedy(b catalog.Backing) fault.Remedy {
	if b.Kind == catalog.KindDevice {
		return fault.Hint(
			"connect the disk; lsblk -o NAME,SIZE,SERIAL shows those that are there; nothing was " +
				"changed")
	}
	return fault.Hint(
		"mount the filesystem that it lies on, or restore the file: findmnt -T " +
			fault.ShellPath(filepath.Dir(b.Path)) + "; nothing was changed")
}
