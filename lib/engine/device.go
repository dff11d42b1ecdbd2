package engine

import (
	"context"
	"fmt"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/host"
	"thinmount/lib/kmsg"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// makeDevice activates a device of one target, and drops what other names of ours
// lead to it. Why the kernel refuses a table it says in its log only.
func makeDevice(ctx context.Context, s *host.System, c *dm.Control, name, uuid string, t dm.Target, cookie dm.CookieFlags) (info dm.Info, err error) {
	err = withKernelLog(func() error {
		info, err = c.Activate(ctx, name, uuid, []dm.Target{t}, dm.ActivateOptions{Cookie: cookie})
		return err
	})
	if err == nil {
		_, err = registry.DropStaleNames(s, c, info)
	}
	return info, err
}

// withKernelLog adds to an error what device-mapper has said meanwhile.
func withKernelLog(do func() error) error {
	log := kmsg.Begin()
	defer log.Close()
	err := do()
	if err == nil {
		return nil
	}
	if said := log.Messages("device-mapper:"); len(said) > 0 {
		err = fmt.Errorf("%w (kernel: %s)", err, strings.Join(said, "; "))
	}
	return err
}

// thinTarget is the table of a volume of size bytes on the pool device.
func thinTarget(pool dm.DevNo, id uint32, size int64) dm.Target {
	return thinpool.Thin{Pool: pool, ID: thinpool.ID(id), Size: dm.Sectors(size / dm.SectorSize)}.Target()
}
