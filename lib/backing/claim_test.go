package backing

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/loop"
)

// TestSharing finds that two devices are one disk under two names, a disk and
// its partition, or a disk and a loop device over it.
func TestSharing(t *testing.T) {
	disk, part, other := dm.DevNo{Major: 8}, dm.DevNo{Major: 8, Minor: 1},
		dm.DevNo{Major: 8, Minor: 16}
	overDisk, overOther := dm.DevNo{Major: 7}, dm.DevNo{Major: 7, Minor: 1}
	whole := func(d dm.DevNo) dm.DevNo {
		if d == part {
			return disk
		}
		return d
	}
	over := func(d dm.DevNo) (loop.File, error) {
		switch d {
		case overDisk:
			return loop.File{Device: disk}, nil
		case overOther:
			return loop.File{Device: other}, nil
		}
		return loop.File{}, unix.ENXIO
	}
	for _, row := range []struct {
		a, b dm.DevNo
		want string
	}{
		{disk, disk, "by another name"},
		{disk, part, "is a partition of"},
		{part, disk, "is the disk of the partition"},
		{disk, other, ""},
		{disk, overDisk, "is a loop device over"},
		{part, overDisk, "is a loop device over"},
		{overDisk, disk, "lies below the loop device"},
		{disk, overOther, ""},
		{overOther, disk, ""},
	} {
		got := sharing(row.a, row.b, "/dev/data", "/dev/meta", whole, over)
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%v and %v: %q, want %q", row.a, row.b, got, row.want)
		}
	}
	if got := sharing(disk, disk, "/dev/a", "/dev/a", whole, over); got != "is given twice" {
		t.Errorf("%q", got)
	}
}
