package engine

import (
	"context"
	"errors"
	"io"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/loop"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// BeginDelete writes the intent of a delete. From here on no command shows the
// volume. straight says that FinishDelete follows at once, with nothing in
// between and under the same lock: then the intent goes to the kernel without
// being written again.
func (p *Pool) BeginDelete(v catalog.Volume, straight bool) (catalog.Intent, error) {
	op := catalog.Intent{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID}
	if straight {
		op.TransactionID = p.Catalog.Pool().TransactionID + 1
	}
	op, err := p.writeIntent(op)
	return op, p.Wrap(err)
}

// FinishDelete is the second half of a delete whose intent BeginDelete has
// written: it deletes the thin id in the kernel, and ends the intent. The
// caller has removed the volume's device.
func (p *Pool) FinishDelete(ctx context.Context, op catalog.Intent) (err error) {
	if op.TransactionID == 0 {
		op, err = p.Begin(op)
	} else {
		err = p.Target.SetTransactionID(op.TransactionID-1, op.TransactionID)
	}
	if err != nil {
		_, e := p.replayIntent(ctx)
		return errors.Join(err, e)
	}
	return p.deleteInactive(ctx, op)
}

// DeleteVolume removes the device of a volume, deletes its thin id in the
// kernel, and ends the intent.
func (p *Pool) DeleteVolume(ctx context.Context, op catalog.Intent) error {
	if err := p.RemoveVolumeDevice(ctx, op.Volume, op.ID); err != nil {
		return err
	}
	op.Op, op.TransactionID = catalog.OpDelete, 0
	return p.FinishDelete(ctx, op)
}

// deleteID deletes the thin id and the record of op, to finish a delete or to
// undo a create. The kernel's pool has op's transaction id already. The device
// goes first: the kernel deletes no id that is active
// (drivers/md/dm-thin-metadata.c, __delete_device). All steps can be done
// again.
func (p *Pool) deleteID(ctx context.Context, op catalog.Intent) error {
	if err := p.RemoveVolumeDevice(ctx, op.Volume, op.ID); err != nil {
		return err
	}
	return p.deleteInactive(ctx, op)
}

// deleteInactive is deleteID for a volume whose device the caller has removed.
func (p *Pool) deleteInactive(ctx context.Context, op catalog.Intent) error {
	if err := p.sendDelete(ctx, op.ID); err != nil {
		return err
	}
	if err := p.Target.Confirm(); err != nil {
		return err
	}
	return p.Catalog.Finish(op.Volume)
}

// sendDelete deletes a thin id. If the kernel has no such id, sendDelete
// returns nil. A device that the kernel removes by itself disappears some time
// before it releases its id (drivers/md/dm.c, __dm_destroy), and until then the
// pool answers EBUSY: sendDelete tries again until ctx ends.
func (p *Pool) sendDelete(ctx context.Context, id spec.ID) error {
	for {
		err := p.Target.Delete(id)
		if errors.Is(err, thinpool.ErrNoSuchID) {
			return nil
		}
		if !errors.Is(err, thinpool.ErrIDInUse) {
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.ErrBusy, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// finishDelete deletes the volume of a dead command's intent. If the volume's
// device is open, it returns ErrBusy at once: the caller holds the pool's lock.
// It begins with the check of the id, since another record may name it: then
// its data belongs to that volume.
func (p *Pool) finishDelete(ctx context.Context, op catalog.Intent) error {
	if err := p.Catalog.CheckID(op); err != nil {
		return p.wrapMismatch(err)
	}
	if info, err := p.DM.Info(dmname.VolumeRef(p.UUID(), op.ID)); err == nil && info.OpenCount > 0 {
		return DeviceBusy(p.Sys, p.DM, p.Volume(op.Volume).String(), info,
			DeviceHolders(ctx, info.Dev, ""))
	}
	// The intent does not say what the user wanted: the default for this kind
	// of pool counts.
	if op.Op == catalog.OpDelete && p.WantsDiscard(DeleteOptions{}) {
		if err := p.discardLeft(ctx, op.Volume); err != nil {
			p.Sys.Warnf(
				"%s: deleted without giving all of its space back to what is below the pool: %v",
				p.Volume(op.Volume), err)
		}
	}
	return p.DeleteVolume(ctx, op)
}

// discardLeft discards blocks of a volume that a dead command was to delete,
// for othersWait at most: this command has work of its own and holds the pool's
// lock exclusively. The deletion gives the blocks that are left back to the
// pool.
func (p *Pool) discardLeft(ctx context.Context, volume string) error {
	// The record is there until the delete is done, although no command shows
	// the volume.
	v, err := p.Catalog.VolumeAnyState(volume)
	if errors.Is(err, catalog.ErrNoVolume) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, othersWait)
	defer cancel()
	return p.Discard(ctx, v)
}

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
