package engine

import (
	"context"
	"fmt"
	"strings"

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
	cookie dm.CookieFlags,
) (info dm.Info, err error) {
	err = withKernelLog(func() error {
		info, err = c.Activate(ctx, name, uuid, []dm.Target{t}, dm.ActivateOptions{Cookie: cookie})
		return err
	})
	if err == nil {
		_, err = registry.DropStaleNames(s, c, info)
	}
	return info, err
}

// withKernelLog calls do. It adds to do's error what device-mapper has logged
// while do ran. A target has no other way to say why it refuses a table
// (drivers/md/dm-table.c, dm_table_add_target, tgt->error). What it logged for
// another process at the same moment cannot be told apart. Where the log cannot
// be read (a container, dmesg_restrict), the error stays as it is.
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

// thinTarget returns the table of a thin device of size bytes in the pool. The
// rest of a size that is no whole sector is cut off: the catalog has none such.
func thinTarget(pool dm.DevNo, id spec.ID, size int64) dm.Target {
	return thinpool.Thin{
		Pool: pool, ID: id, Size: dm.Sectors(size / dm.SectorSize),
	}.Target()
}
