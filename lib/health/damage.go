package health

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// DamagedText and damagedRemedy tell of metadata that the kernel cannot read, or
// cannot make sense of. The way out is a command of several lines, which pool
// check prints.
const DamagedText = "the pool's metadata is damaged"

func damagedRemedy(pool string) fault.Remedy {
	return fault.Sayf("%v says how thin_repair saves what can be saved", fault.CheckPool{Pool: pool})
}

// DamagedBy puts an error that comes of damaged metadata into words.
func DamagedBy(pool string, err error) error {
	return &fault.Error{Object: "pool " + pool, Err: fault.Errorf(fault.ErrPoolState, "%s: %w", DamagedText, err), Remedy: damagedRemedy(pool)}
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

// DamageRemedy is how somebody saves what can be saved of damaged metadata.
func DamageRemedy(cfg catalog.Pool) fault.Remedy {
	return fault.SaveMetadata{Pool: cfg.Name, Path: cfg.Metadata.Path, Offset: label.Reserved, Size: cfg.Metadata.Size}
}
