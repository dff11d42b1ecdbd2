package health

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// DamagedText and damagedHint tell of metadata that the kernel cannot read, or
// cannot make sense of. The way out is a command of several lines, which pool
// check prints.
const DamagedText = "the pool's metadata is damaged"

func damagedHint(pool string) string {
	return "thin-snap pool check " + pool + " says how thin_repair saves what can be saved"
}

// DamagedBy puts an error that comes of damaged metadata into words.
func DamagedBy(pool string, err error) error {
	return &fault.Error{Object: "pool " + pool, Err: fault.Errorf(fault.ErrPoolState, "%s: %w", DamagedText, err), Hint: damagedHint(pool)}
}

// BlameMetadata looks, after an error of reading or writing a volume, whether it
// comes of damaged metadata: the kernel tells whoever reads a volume EIO alone.
func BlameMetadata(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume, err error) error {
	switch {
	case thinpool.Damaged(err):
		return DamagedBy(v.Pool, err)
	case !errors.Is(err, unix.EIO) || len(Suspended(c, v.PoolUUID)) > 0:
		return err
	}
	f, e := host.OpenDirect(c.NodePath(dmname.Part(v.Pool, dmname.Meta)))
	if e != nil {
		return err
	}
	defer f.Close()
	_, e = thinpool.ReadMetadata(ctx, f, 0)
	if e == nil || ctx.Err() != nil || errors.Is(e, thinpool.ErrMoving) {
		return err
	}
	return DamagedBy(v.Pool, errors.Join(e, err))
}

// DamageHint is how somebody saves what can be saved of damaged metadata. What
// lies behind the label is made a device of its own, since the programs take no
// offset. The damaged metadata is kept in a file; files lie in /var/tmp, since the
// programs read past the page cache, which a tmpfs cannot.
func DamageHint(cfg catalog.Pool) string {
	return fmt.Sprintf("thin-snap pool deactivate %s && dev=$(losetup --find --show --offset %d --sizelimit %d %s) && dd if=$dev of=/var/tmp/%[1]s.damaged bs=1M conv=sparse && "+
		"truncate -s %[3]d /var/tmp/%[1]s.repaired && thin_repair -i $dev -o /var/tmp/%[1]s.repaired && dd if=/var/tmp/%[1]s.repaired of=$dev bs=1M conv=fsync; "+
		"losetup --detach $dev; thin-snap pool check --repair %[1]s", cfg.Name, label.Reserved, cfg.Metadata.Size, fault.ShellPath(cfg.Metadata.Path))
}
