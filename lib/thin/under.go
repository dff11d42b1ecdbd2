package thin

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/loop"
)

// underneath is the block device that one of an active pool's linear devices
// stands on.
type underneath struct {
	path   string
	dev    dm.DevNo
	offset uint64 // sectors
	loop   bool
}

// under finds the block device under a part, and makes sure that it is the one
// that the catalog names, or a loop device over that very file.
func (p *pool) under(part string, b catalog.Backing) (underneath, error) {
	targets, info, err := p.dm.Table(p.ref(part))
	if err != nil {
		return underneath{}, err
	}
	if len(targets) != 1 || targets[0].Type != "linear" {
		return underneath{}, &Error{Object: info.Name, Err: reason(ErrPoolState, "somebody has changed its table: %v", targets),
			Hint: "thin-snap pool deactivate " + p.name() + ": the next command makes it anew"}
	}
	u := underneath{path: b.Path, loop: b.Kind == catalog.KindFile}
	if u.dev, u.offset, err = parseLinear(targets[0].Params); err != nil {
		return u, err
	}
	if other := copyBelow(p.cat.Pool(), part, targets, info); other != nil {
		return u, other.err
	}
	if dev, err := nodeDevice(b.Path); u.loop || err != nil || dev != u.dev { // for a disk: its name has changed
		u.path = devicePath(u.dev)
	}
	return u, nil
}

// parseLinear reads the parameters of a linear target: DEVICE OFFSET.
func parseLinear(params string) (lower dm.DevNo, offset uint64, err error) {
	var dev string
	if _, err = fmt.Sscanf(params, "%s %d", &dev, &offset); err == nil {
		lower, err = dm.ParseDevNo(dev)
	}
	if err != nil {
		err = fmt.Errorf("linear table %q: %w", params, err)
	}
	return lower, offset, err
}

// stretch makes sure that the device has size bytes: a loop device takes the new
// size of its file.
func (u underneath) stretch(size int64) error {
	if u.loop {
		if err := loop.SetCapacity(u.path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(u.path, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := loop.Size(f)
	if err == nil && have < size {
		return reason(ErrPoolState, "%s: has %s, the pool needs %s", u.path, exactSize(have), exactSize(size))
	}
	return err
}
