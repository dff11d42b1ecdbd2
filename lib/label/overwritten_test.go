package label

import (
	"errors"
	"testing"
)

// TestReadNoticesOthers writes what other programs write to a disk that they
// take over, and that leaves the label standing: LVM writes at 512, ext4 at
// 1024, swap at 4086, btrfs at 64 KiB.
func TestReadNoticesOthers(t *testing.T) {
	for _, at := range []int{512, 1080, 4086, 4096, 64<<10 + 64, Reserved - 1} {
		d := make(disk, Reserved+blockSize)
		if err := Write(d, sample()); err != nil {
			t.Fatal(err)
		}
		d[at] = 'L'
		if l, err := Read(d); !errors.Is(err, ErrOverwritten) || l != (Label{}) {
			t.Errorf("byte %d: %+v, %v", at, l, err)
		}
	}
	d := make(disk, Reserved+blockSize)
	if err := Write(d, sample()); err != nil {
		t.Fatal(err)
	}
	d[Reserved] = 'x' // the pool's own
	if _, err := Read(d); err != nil {
		t.Error(err)
	}
}
