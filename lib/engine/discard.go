package engine

import (
	"context"
	"errors"
	"io"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/loop"
	"thinmount/lib/thinpool"
)

// DeleteOptions are the options for deleting a volume.
type DeleteOptions struct {
	// Discard says whether to give the volume's blocks back to the disk or file
	// below the pool. Nil means to do so for pools on files, which would keep
	// the space otherwise.
	Discard *bool
}

// WantsDiscard reports whether a deletion with these options discards.
func (p *Pool) WantsDiscard(o DeleteOptions) bool {
	if o.Discard != nil {
		return *o.Discard
	}
	return p.Catalog.Pool().Data.Kind == catalog.KindFile
}

// GivesBack reports whether Discard of a volume would give anything back: the
// volume maps a block that no other volume shares. If that would take long to
// find out, it returns true. The volume is not active, and the caller holds the
// pool's lock exclusively.
func (p *Pool) GivesBack(v catalog.Volume) bool {
	for _, op := range p.Catalog.Pool().Intents {
		if op.Op == catalog.OpDelete {
			return true // it may be discarding what it shares with v
		}
	}
	owns := true
	err := p.readMetadata(func(f io.ReaderAt) (err error) {
		owns, err = p.Target.Owns(f, v.ID)
		return err
	})
	if err != nil {
		p.Sys.Stepf("%s: mappings: %v", v.Spec(), err)
	}
	return owns
}

// Discard gives the mapped blocks of a volume back to the disk or file below
// the pool. Blocks that were never written take no time, however large the
// volume is. The caller holds the volume's lock and needs no lock of the pool:
// an open volume keeps the pool active. System.Deadline limits the activation
// alone; the discarding itself takes as long as it needs. A kill leaves a part
// of the volume discarded. That is why the caller has written the intent of the
// delete before: no command shows the volume any more.
func (p *Pool) Discard(ctx context.Context, v catalog.Volume) error {
	wait, cancel := p.Sys.Waiting(ctx)
	defer cancel()
	v.ReadOnly = false // a discard needs a device that can be written to
	a, err := p.ActivateVolume(wait, v, false)
	if err != nil {
		return err
	}
	defer a.Close()
	pieces, err := p.mapped(ctx, a, v)
	if err != nil {
		return err
	}
	var total, before int64
	for _, r := range pieces {
		total += r.length
	}
	// The kernel discards by a descriptor that is open for writing alone
	// (block/ioctl.c, blk_ioctl_discard).
	w, err := a.ForWriting()
	if err != nil {
		return err
	}
	defer w.Close()
	// The pool unmaps all of it, and passes down what no other device shares
	// (drivers/md/dm-thin.c, passdown_double_checking_shared_status).
	what := "discarding " + v.Pool + "/" + v.Name
	for _, r := range pieces {
		told := func(done int64) { p.Sys.Progress(what, before+done, total) }
		if err := loop.Discard(ctx, w.File, r.from, r.length, told); err != nil {
			return err
		}
		before += r.length
	}
	return nil
}

// piece is a part of a volume (bytes).
type piece struct{ from, length int64 }

// discardGap is the largest gap (bytes) between two mapped pieces that is
// discarded with them: the kernel passes over it faster than it handles a
// request for each piece.
const discardGap = 16 << 20

// mapped lists the mapped pieces of an active volume, as the pool's metadata
// has them. If the metadata cannot be read, for example because other commands
// change it all the time, mapped returns one piece up to the end of the highest
// mapped block, which the kernel tells. Reading the metadata of a large volume
// takes time, but less than asking the kernel to discard what was never
// written.
func (p *Pool) mapped(ctx context.Context, a *Activation, v catalog.Volume) ([]piece, error) {
	// A flush commits the metadata (drivers/md/dm-thin.c,
	// process_deferred_bios).
	if err := a.Sync(); err != nil {
		return nil, err
	}
	// Of a discard the pool takes the whole blocks alone (dm-thin.c,
	// get_bio_block_range), so that the pieces are whole blocks. The last one
	// ends with the volume.
	block := int64(p.Catalog.Pool().BlockSize) * dm.SectorSize
	ranges, err := p.ranges(ctx, v, uint64(max(discardGap/block, 1)))
	if err == nil {
		return clipped(ranges, block, v.Size), nil
	}
	// Without this the end of the time would be taken for metadata that keep
	// changing.
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.Sys.Stepf("%s: mappings: %v", v.Spec(), err)
	end, err := p.highest(v)
	if err != nil || end == 0 {
		return nil, err
	}
	return []piece{{0, min(end, v.Size)}}, nil
}

// ranges reads the mapped ranges of v from the metadata of the active pool. It
// joins ranges that are at most gap blocks apart. It reads past the page cache,
// which the pool does not keep up to date.
func (p *Pool) ranges(
	ctx context.Context, v catalog.Volume, gap uint64,
) (all []thinpool.Range, err error) {
	err = p.readMetadata(func(f io.ReaderAt) error {
		all, err = thinpool.ReadRanges(ctx, f, 0, v.ID, gap)
		return err
	})
	return all, err
}

// clipped turns ranges into pieces that lie within the volume. block and size
// are in bytes.
func clipped(ranges []thinpool.Range, block, size int64) []piece {
	var pieces []piece
	for _, r := range ranges {
		if r.Begin >= uint64((size+block-1)/block) {
			break
		}
		from := int64(r.Begin) * block
		to := size
		if r.End <= uint64(size/block) {
			to = int64(r.End) * block
		}
		pieces = append(pieces, piece{from, to - from})
	}
	return pieces
}

// highest returns where the highest mapped block of an active volume ends
// (bytes). 0 says that nothing is mapped.
func (p *Pool) highest(v catalog.Volume) (int64, error) {
	targets, _, err := p.DM.Status(dmname.VolumeRef(p.UUID(), v.ID), 0)
	if err != nil {
		return 0, err
	}
	if len(targets) != 1 {
		return 0, errors.New("not a thin device")
	}
	st, err := thinpool.ParseThinStatus(targets[0].Params)
	switch {
	case err != nil:
		return 0, err
	case st.Fail:
		return 0, errors.New("the pool does not tell what is mapped")
	case st.Highest == nil:
		return 0, nil
	}
	return (*st.Highest + 1).Bytes(), nil
}
