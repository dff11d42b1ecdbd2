// Package disks lists the block devices on which a disk with a known label may
// be found, from sysfs. It opens none of them: to open a drive without a
// medium, or a device that is suspended, may block.
//
// Do not use it to choose an empty disk: it says nothing of what is on a
// device.
package disks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"thinmount/lib/dm"
)

// Disk is a block device: a disk, a partition, a loop device, or one of
// device-mapper.
type Disk struct {
	Path string // /dev/sdb, /dev/mapper/NAME
	Dev  dm.DevNo
	Held bool // part of another device, for example of an array or a volume group
}

// slow are the major numbers of devices that may block a program that opens or
// reads them (Documentation/admin-guide/devices.txt): floppy, CD-ROM, nbd.
var slow = []uint32{2, 11, 43}

// List lists the devices that have a size, in the order of their names. It
// leaves out devices of device-mapper that are suspended, or whose uuid begins
// with skip ("" is none).
func List(skip string) ([]Disk, error) { return list("/sys", "/dev", skip) }

func list(sys, dev, skip string) ([]Disk, error) {
	names, err := os.ReadDir(filepath.Join(sys, "class/block")) // sorted
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var found []Disk
	for _, e := range names {
		if d, ok := look(filepath.Join(sys, "class/block", e.Name()), dev, skip); ok {
			found = append(found, d)
		}
	}
	return found, nil
}

// look reads the folder of one device in sysfs.
func look(dir, dev, skip string) (Disk, bool) {
	number, err := dm.ParseDevNo(attribute(dir, "dev"))
	size, sizeErr := strconv.ParseUint(attribute(dir, "size"), 10, 64)
	if err != nil || sizeErr != nil || size == 0 || slices.Contains(slow, number.Major) {
		return Disk{}, false
	}
	// A '/' in a device's name is '!' in sysfs (drivers/base/core.c,
	// device_get_devnode).
	name := strings.ReplaceAll(filepath.Base(dir), "!", "/")
	d := Disk{Path: filepath.Join(dev, name), Dev: number, Held: len(entries(dir, "holders")) > 0}
	uuid := attribute(dir, "dm/uuid")
	switch mapped := attribute(dir, "dm/name"); {
	case skip != "" && strings.HasPrefix(uuid, skip), attribute(dir, "dm/suspended") == "1":
		return Disk{}, false
	case mapped != "":
		d.Path = filepath.Join(dev, "mapper", mapped)
	}
	return d, true
}

func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func entries(dir, name string) []os.DirEntry {
	all, _ := os.ReadDir(filepath.Join(dir, name))
	return all
}

// Lasting is a name of the device at path that stays the same when disks are
// added or found in another order: udev's link below /dev/disk/by-id, or path
// itself if there is none. number returns the device that a path leads to.
func Lasting(path string, dev dm.DevNo, number func(path string) (dm.DevNo, error)) string {
	return lasting("/dev/disk/by-id", path, dev, number)
}

func lasting(
	dir, path string, dev dm.DevNo, number func(path string) (dm.DevNo, error),
) string {
	for _, e := range entries(dir, "") { // in the order of their names
		link := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), "lvm-pv-uuid-") {
			continue
		}
		if got, err := number(link); err == nil && got == dev {
			return link
		}
	}
	return path
}
