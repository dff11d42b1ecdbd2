package backing

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/loop"
)

// Underneath is the block device below one of the linear devices of an active
// pool.
type Underneath struct {
	Path   string
	Dev    dm.DevNo
	Offset uint64 // sectors
	Loop   bool   // it is a loop device over a file
}

// ParseLinear reads the parameters of a linear target: DEVICE OFFSET. The
// offset is in sectors.
func ParseLinear(params string) (lower dm.DevNo, offset uint64, err error) {
	var dev string
	if _, err = fmt.Sscanf(params, "%s %d", &dev, &offset); err == nil {
		lower, err = dm.ParseDevNo(dev)
	}
	if err != nil {
		err = fmt.Errorf("linear table %q: %w", params, err)
	}
	return lower, offset, err
}

// Stretch makes sure that the device has size bytes. It first makes a loop
// device take the new size of its file. The error is fault.ErrPoolState if the
// device is still smaller.
func (u Underneath) Stretch(size int64) error {
	if u.Loop {
		if err := loop.SetCapacity(u.Path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(u.Path, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := loop.Size(f)
	if err == nil && have < size {
		return fault.Errorf(fault.ErrPoolState, "%s: has %s, the pool needs %s", u.Path,
			fault.ExactSize(have), fault.ExactSize(size))
	}
	return err
}
