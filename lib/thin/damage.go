package thin

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// damagedText and damagedHint tell of metadata that the kernel cannot read, or
// cannot make sense of. The way out is a command of several lines, which pool
// check prints.
const damagedText = "the pool's metadata is damaged"

func damagedHint(pool string) string {
	return "thin-snap pool check " + pool + " says how thin_repair saves what can be saved"
}

// damagedBy puts an error that comes of damaged metadata into words.
func damagedBy(pool string, err error) error {
	return &Error{Object: "pool " + pool, Err: reason(ErrPoolState, "%s: %w", damagedText, err), Hint: damagedHint(pool)}
}

// blameMetadata looks, after an error of reading or writing a volume, whether it
// comes of damaged metadata: the kernel tells whoever reads a volume EIO alone.
func (s *System) blameMetadata(ctx context.Context, c *dm.Control, v catalog.Volume, err error) error {
	switch {
	case thinpool.Damaged(err):
		return damagedBy(v.Pool, err)
	case !errors.Is(err, unix.EIO) || len(suspended(c, v.PoolUUID)) > 0:
		return err
	}
	f, e := openDirect(c.NodePath(partName(v.Pool, partMeta)))
	if e != nil {
		return err
	}
	defer f.Close()
	_, e = thinpool.ReadMetadata(ctx, f, 0)
	if e == nil || ctx.Err() != nil || errors.Is(e, thinpool.ErrMoving) {
		return err
	}
	return damagedBy(v.Pool, errors.Join(e, err))
}
