package engine

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/host"
	"thinmount/lib/loop"
	"thinmount/lib/thinpool"
)

// DeleteOptions are the choices of Delete.
type DeleteOptions struct {
	// Discard gives the volume's blocks back to what lies below the pool. Nil
	// does so for pools on files, where the space would be lost otherwise.
	Discard *bool
}

func (p *Pool) WantsDiscard(o DeleteOptions) bool {
	if o.Discard != nil {
		return *o.Discard
	}
	return p.Catalog.Pool().Data.Kind == catalog.KindFile
}

// Discard gives the volume's mapped blocks back. What was never written costs
// nothing, however large the volume is. The volume's lock is held, the pool's is
// not needed: a volume in use keeps the pool active. The deadline is for the
// device: discarding takes as long as it does.
func (p *Pool) Discard(ctx context.Context, v catalog.Volume) error {
	wait, cancel := p.Sys.Waiting(ctx)
	defer cancel()
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
	w, err := a.forWriting()
	if err != nil {
		return err
	}
	defer w.Close()
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

// discardGap is what is discarded along with what lies on both sides of it
// (bytes): the kernel passes over it faster than over two requests more.
const discardGap = 16 << 20

// mapped lists the parts of an active volume that are mapped, by the pool's
// metadata. Where that cannot be read, because others change it all the time,
// say, it is all up to the highest mapped block, which the kernel tells.
func (p *Pool) mapped(ctx context.Context, a *Activation, v catalog.Volume) ([]piece, error) {
	if err := a.Sync(); err != nil { // a flush commits the metadata (drivers/md/dm-thin.c, process_deferred_bios)
		return nil, err
	}
	block := int64(p.Catalog.Pool().BlockSize) * dm.SectorSize
	ranges, err := p.ranges(ctx, v, uint64(max(discardGap/block, 1)))
	if err == nil {
		return clipped(ranges, block, v.Size), nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.Sys.Stepf("%s/%s: mappings: %v", v.Pool, v.Name, err)
	end, err := p.highest(v)
	if err != nil || end == 0 {
		return nil, err
	}
	return []piece{{0, min(end, v.Size)}}, nil
}

// ranges reads them from the metadata of the active pool.
func (p *Pool) ranges(ctx context.Context, v catalog.Volume, gap uint64) ([]thinpool.Range, error) {
	f, err := host.OpenDirect(p.DM.NodePath(dmname.Part(p.Name(), dmname.Meta)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return thinpool.ReadRanges(ctx, f, 0, thinpool.ID(v.ID), gap)
}

// clipped makes pieces of ranges, within the volume.
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

// highest is where the highest mapped block of an active volume ends (bytes).
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
