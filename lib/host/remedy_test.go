package host

import (
	"fmt"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

func TestRemedyWithoutDeviceMapper(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("open: %w", dm.ErrNoDriver): "modprobe -a dm_mod dm_thin_pool",

		&fs.PathError{Op: "open", Path: "/dev/mapper/control", Err: unix.EPERM}: deviceHint,
		&fs.PathError{Op: "mkdir", Path: "/dev/mapper", Err: unix.EROFS}:        deviceHint,
		fs.ErrClosed: "",
		nil:          "",
	} {
		if got := remedyText(OpenError(err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
