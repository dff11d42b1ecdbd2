package engine

import (
	"context"

	"thinmount/lib/dm"
	"thinmount/lib/host"
	"thinmount/lib/kmsg"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// makeDevice activates a device with one target, and removes stale names of
// ours that lead to its device number: the kernel gives a number that has
// become free to the next device (drivers/md/dm.c, next_free_minor). If the
// kernel refuses the table, the error has the kernel's reason, which is in the
// kernel log only. A stale name must go before somebody opens it: it would lead
// to the new device.
func makeDevice(
	ctx context.Context, s *host.System, c *dm.Control, name, uuid string, t dm.Target,
	o dm.ActivateOptions,
) (info dm.Info, err error) {
	err = kmsg.Explain("device-mapper:", func() error {
		info, err = c.Activate(ctx, name, uuid, []dm.Target{t}, o)
		return err
	})
	if err == nil {
		_, err = registry.DropStaleNames(s, c, info)
	}
	return info, err
}

// thinTarget returns the table of a thin device of size bytes in the pool. The
// rest of a size that is no whole sector is cut off: the catalog has none such.
func thinTarget(pool dm.DevNo, id spec.ID, size int64) dm.Target {
	return thinpool.Thin{
		Pool: pool, ID: id, Size: dm.Sectors(size / dm.SectorSize),
	}.Target()
}
