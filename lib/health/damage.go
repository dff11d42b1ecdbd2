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

// DamagedText and damagedRemedy are for metadata that the kernel cannot read or
// cannot make sense of. Saving it takes a command of several lines, which pool
// check prints.
const DamagedText = "the pool's metadata is damaged"

// damagedRemedy returns the command that says how to save the metadata.
func damagedRemedy(pool string) fault.Remedy {
	return fault.Sayf("%v says how thin_repair saves what can be saved",
		fault.CheckPool{Pool: pool})
}

// DamagedBy returns the error (fault.ErrPoolState) for a command that failed
// with err because the pool's metadata is damaged.
func DamagedBy(pool string, err error) error {
	return &fault.Error{Object: "pool " + pool,
		Err:    fault.Errorf(fault.ErrPoolState, "%s: %w", DamagedText, err),
		Remedy: damagedRemedy(pool)}
}

// BlameMetadata finds out whether err, of reading or writing a volume, was
// caused by damaged metadata, and returns an error that says so. The kernel
// tells a program that reads a volume only EIO. So BlameMetadata reads the
// pool's metadata itself. It returns err as it is if the metadata is sound, if
// a device of the pool is suspended, or if the metadata keeps changing while it
// is read.
func BlameMetadata(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume,
	err error) error {
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

// DamageRemedy returns how a user saves what can be saved of damaged metadata.
func DamageRemedy(cfg catalog.Pool) fault.Remedy {
	return fault.SaveMetadata{Pool: cfg.Name, Path: cfg.Metadata.Path, Offset: label.Reserved,
		Size: cfg.Metadata.Size}
}
