package backing

import (
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
)

// CheckSuperblock compares the superblock at the beginning of f with the
// catalog. Without a superblock, with other sizes, or if the metadata needs a
// check, the error is ErrPoolState.
//
// The kernel compares the sizes, too, but late: it takes the table, fails in
// the resume and leaves the pool suspended (drivers/md/dm-thin.c,
// maybe_resize_data_dev and maybe_resize_metadata_dev). With the mark for a
// check it would activate a pool that is read-only.
func CheckSuperblock(f *os.File, cfg catalog.Pool) error {
	sb, err := thinpool.ReadSuperblock(f)
	if err != nil {
		return &fault.Error{
			Object: cfg.Metadata.Path,
			Err:    fault.Wrap(fault.ErrPoolState, err),
			Remedy: fault.Hint("nothing was changed; restore the metadata from a backup"),
		}
	}
	if uint64(sb.BlockSize) != cfg.BlockSize {
		return fault.Errorf(fault.ErrPoolState,
			"%s: metadata has blocks of %d sectors, the catalog says %d",
			cfg.Metadata.Path, sb.BlockSize, cfg.BlockSize)
	}
	if have := uint64(cfg.Data.Size/dm.SectorSize) / cfg.BlockSize; have < sb.DataBlocks {
		return fault.Errorf(fault.ErrPoolState, "%s: has %d blocks, the metadata speaks of %d",
			cfg.Data.Path, have, sb.DataBlocks)
	}
	if have := uint64(cfg.Metadata.Size) / thinpool.MetadataBlock; have < sb.MetadataBlocks {
		return fault.Errorf(fault.ErrPoolState,
			"%s: has %d blocks, the metadata itself speaks of %d",
			cfg.Metadata.Path, have, sb.MetadataBlocks)
	}
	if sb.NeedsCheck {
		return &fault.Error{
			Object: cfg.Metadata.Path,
			Err:    fault.Errorf(fault.ErrPoolState, "metadata needs a check"),
			Remedy: fault.RepairPool{Pool: cfg.Name},
		}
	}
	return nil
}
