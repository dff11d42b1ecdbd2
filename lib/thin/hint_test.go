package thin

import (
	"fmt"
	"io/fs"
	"testing"

	"thinmount/lib/dm"
)

func TestHintWithoutDeviceMapper(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("open: %w", dm.ErrNoDriver): "modprobe -a dm_mod dm_thin_pool",
		fs.ErrPermission:                       "run it as root",
		fs.ErrClosed:                           "",
		nil:                                    "",
	} {
		if got := Hint(openError(err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
