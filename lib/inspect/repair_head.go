package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/loop"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
	"thinmount/lib/volumes"
)

// The head is the first data blocks of a pool (lib/engine/head.go). The repair
// in this file gives a head to a pool that was made without one. Volumes may
// have data in the first blocks, so it moves these blocks:
//
//  1. It makes the head's thin device and writes the headers to it. The kernel
//     puts them in the lowest free blocks.
//  2. It makes snapshots of thin devices, so that each of the first blocks that
//     is in use is in a snapshot. Then it reads a piece of each such block in
//     each device, and writes the same bytes back. The kernel does not write to
//     a block that is shared with a snapshot: it copies the block to a free one
//     first, which the device has from then on. The contents of the device do
//     not change.
//  3. It deletes the snapshots. Now the head has some of the first blocks, and
//     all others are free.
//  4. It discards the head's blocks that lie elsewhere and activates the pool
//     anew. By this the kernel begins to look for free blocks at the first one.
//     Then it writes the headers again.
//
// A crash at any point leaves the contents of the volumes as they were. The
// snapshots are intents in the catalog, which the next command undoes. The
// repair can be done again.

// headRounds is how often the repair tries steps 2 to 4. One round is enough if
// no other program changes the pool.
const headRounds = 4

// headPiece is how many bytes of a block the repair writes to have it moved.
const headPiece = 4096

// headRepair is one repair of a pool's head. The pool is opened exclusively.
type headRepair struct {
	*engine.Pool
	id     spec.ID // thin id of the head
	blocks uint64  // number of blocks in the head
}

// reserveHead gives a head to a pool that has none. No volume of the pool may
// be active. The pool is active afterwards.
func reserveHead(ctx context.Context, s *host.System, name string) error {
	// Each step has a deadline of its own, and all of them together have none.
	return engine.Alone(ctx, s, name, engine.OpenActive,
		func(_ context.Context, p *engine.Pool) error {
			return p.Wrap(p.Explain(makeHeadLate(ctx, p)))
		})
}

// makeHeadLate is reserveHead for a pool that is open and active.
func makeHeadLate(ctx context.Context, p *engine.Pool) error {
	if ops := p.Catalog.Pool().Intents; len(ops) > 0 {
		return fault.Errorf(fault.ErrBusy, "the %s of %s is still at work",
			ops[0].Op, p.Volume(ops[0].Volume))
	}
	h := &headRepair{Pool: p, blocks: engine.HeadBlocks(p.Catalog.Pool())}
	found, err := h.first(ctx)
	if err != nil {
		return err
	}
	if err := h.hasRoom(found); err != nil {
		return err
	}
	if err := h.step(ctx, func(ctx context.Context) error { return restart(ctx, p) }); err != nil {
		return err
	}
	if err := h.choose(); err != nil {
		return err
	}
	if err := h.step(ctx, func(ctx context.Context) error {
		return h.write(ctx, nil)
	}); err != nil {
		return err
	}
	for range headRounds {
		if done, err := h.round(ctx); done || err != nil {
			return err
		}
	}
	return fault.Errorf(fault.ErrPoolState,
		"its first blocks are used again and again: is anybody else changing the pool?")
}

// step runs do with a deadline of its own.
func (h *headRepair) step(ctx context.Context, do func(context.Context) error) error {
	wait, cancel := h.Sys.Waiting(ctx)
	defer cancel()
	return do(wait)
}

// hasRoom returns an error if the pool has too few free blocks for the repair.
// Each device needs one new block for each of the first blocks that it has,
// also if it shares that block with other devices.
func (h *headRepair) hasRoom(found map[spec.ID][]thinpool.Mapping) error {
	st, err := h.CanWrite()
	if err != nil {
		return err
	}
	want := 2 * h.blocks
	for _, mappings := range found {
		want += uint64(len(mappings))
	}
	if free := health.Spaces(h.Catalog.Pool(), st)[0].Free(); free < want {
		return volumes.Full(h.Name(),
			"%d blocks are free, and %d are wanted to move what lies in the first ones", free, want)
	}
	return nil
}

// restart deactivates and activates the pool.
func restart(ctx context.Context, p *engine.Pool) error {
	if err := p.Deactivate(ctx); err != nil {
		return err
	}
	return p.Activate(ctx)
}

// choose sets the head's thin id and makes the thin device if it does not
// exist. It takes the id from pool.json, or from the headers of a head that
// pool.json does not know, or chooses a free one.
func (h *headRepair) choose() error {
	devices, err := h.Devices()
	if err != nil {
		return err
	}
	cfg := h.Catalog.Pool()
	switch {
	case cfg.Head != nil:
		h.id = *cfg.Head
	default:
		if h.id, err = idOnDisk(h.Pool); err == nil {
			if _, there := devices[h.id]; there {
				break
			}
		}
		h.id = engine.NewHeadID
		if _, taken := devices[engine.NewHeadID]; taken {
			h.id = cfg.NextID
		}
		if _, taken := devices[h.id]; taken || h.id > spec.MaxID {
			return fault.Errorf(fault.ErrPoolState, "no thin id is free for it")
		}
	}
	volumes, err := h.Catalog.VolumesAnyState()
	if err != nil {
		return err
	}
	for _, v := range volumes {
		if v.ID == h.id {
			return fault.Errorf(fault.ErrPoolState,
				"thin id %d, which its first blocks are to have, is %s's", h.id, v.Name)
		}
	}
	if err := h.Catalog.SetPool(func(c *catalog.Pool) {
		c.Head = &h.id
		c.NextID = max(c.NextID, h.id+1)
	}); err != nil {
		return err
	}
	if _, there := devices[h.id]; there {
		return nil
	}
	if err := h.Target.CreateThin(h.id); err != nil {
		return err
	}
	return h.Target.Confirm()
}

// idOnDisk returns the thin id that the headers in the first blocks name.
func idOnDisk(p *engine.Pool) (spec.ID, error) {
	f, err := host.OpenDirect(p.DM.NodePath(dmname.Part(p.Name(), dmname.Data)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return engine.ReadHead(f, 0, p.Catalog.Pool())
}

// write writes the headers of those blocks for which want is true, or all
// headers if want is nil.
func (h *headRepair) write(ctx context.Context, want func(uint64) bool) error {
	return h.WithHead(ctx, h.id, func(f *os.File) error {
		return engine.WriteHead(f, h.Catalog.Pool(), h.id, want)
	})
}

// first reads which thin devices have the first blocks of the pool's data.
func (h *headRepair) first(ctx context.Context) (map[spec.ID][]thinpool.Mapping, error) {
	f, err := host.OpenDirect(h.DM.NodePath(dmname.Part(h.Name(), dmname.Meta)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return thinpool.ReadFirst(ctx, f, 0, h.blocks)
}

// round does steps 2 to 4 once. done is true if the head has all its blocks
// already, and round has changed nothing.
func (h *headRepair) round(ctx context.Context) (done bool, err error) {
	found, err := h.first(ctx)
	if err != nil {
		return false, err
	}
	right := map[uint64]bool{}
	for _, m := range found[h.id] {
		right[m.Virtual] = m.Virtual == m.Data
	}
	delete(found, h.id)
	wrong := func(n uint64) bool { return !right[n] }
	if len(found) == 0 && h.ConfirmHead() == nil {
		return true, nil
	}
	if err := h.moveAll(ctx, found); err != nil {
		return false, err
	}
	return false, h.step(ctx, func(ctx context.Context) error {
		if err := h.WithHead(ctx, h.id, func(f *os.File) error {
			return h.discard(ctx, f, wrong)
		}); err != nil {
			return err
		}
		if err := restart(ctx, h.Pool); err != nil {
			return err
		}
		return h.write(ctx, nil)
	})
}

// discard frees those of the head's blocks for which want is true.
func (h *headRepair) discard(ctx context.Context, f *os.File, want func(uint64) bool) error {
	size := health.BlockBytes(h.Catalog.Pool())
	for n := range h.blocks {
		if want(n) {
			if err := loop.Discard(ctx, f, int64(n)*size, size, func(int64) {}); err != nil {
				return err
			}
		}
	}
	return f.Sync()
}

// moveAll has the kernel move the blocks in found to free ones (steps 2 and 3).
// It deletes its snapshots in the end, also after an error.
func (h *headRepair) moveAll(
	ctx context.Context, found map[spec.ID][]thinpool.Mapping,
) (err error) {
	var snapshots []catalog.Intent
	defer func() {
		for _, op := range snapshots {
			err = errors.Join(err, h.step(ctx, func(ctx context.Context) error {
				return h.DeleteVolume(ctx, op)
			}))
		}
	}()
	for _, id := range cover(found) {
		op, err := h.snapshot(id)
		if op.Volume != "" {
			snapshots = append(snapshots, op)
		}
		if err != nil {
			return err
		}
	}
	for id, mappings := range found {
		if err := h.step(ctx, func(ctx context.Context) error {
			return h.move(ctx, id, mappings)
		}); err != nil {
			return err
		}
	}
	return nil
}

// cover chooses devices that together have all the blocks in found. If two
// devices share a block, a snapshot of one of them is enough: the block has
// been part of a snapshot since it was written, so the kernel moves it for the
// other device as well (dm-thin-metadata.c, __snapshotted_since).
func cover(found map[spec.ID][]thinpool.Mapping) (chosen []spec.ID) {
	covered := map[uint64]bool{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		more := slices.ContainsFunc(found[id],
			func(m thinpool.Mapping) bool { return !covered[m.Data] })
		if !more {
			continue
		}
		chosen = append(chosen, id)
		for _, m := range found[id] {
			covered[m.Data] = true
		}
	}
	return chosen
}

// snapshot makes a snapshot of a thin device. An intent in the catalog hides
// the snapshot from all commands until it is deleted.
func (h *headRepair) snapshot(id spec.ID) (catalog.Intent, error) {
	name, err := h.unusedName(id)
	if err != nil {
		return catalog.Intent{}, err
	}
	op, err := h.Begin(catalog.Intent{Op: catalog.OpCreate, Volume: name, Explicit: true})
	if err == nil {
		op, err = h.SendCreate(op,
			func(snapshot spec.ID) error { return h.Target.CreateSnapshot(snapshot, id) })
	}
	if err == nil {
		err = h.Commit(op, catalog.OpFormat)
	}
	if err != nil {
		return catalog.Intent{}, h.Rollback(context.Background(), name, err)
	}
	return catalog.Intent{Op: catalog.OpFormat, Volume: name, ID: op.ID}, nil
}

// unusedName returns a volume name that no volume and no intent has.
func (h *headRepair) unusedName(id spec.ID) (string, error) {
	for n := 0; ; n++ {
		name := fmt.Sprintf("first-blocks-%d-%d", id, n)
		_, err := h.Catalog.VolumeAnyState(name)
		busy := slices.ContainsFunc(h.Catalog.Pool().Intents,
			func(op catalog.Intent) bool { return op.Volume == name })
		if errors.Is(err, fs.ErrNotExist) && !busy {
			return name, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
}

// move reads a piece of each block and writes the same bytes back. Before the
// kernel writes to a shared block, it moves the block for this device
// (dm-thin.c, break_sharing).
func (h *headRepair) move(ctx context.Context, id spec.ID, mappings []thinpool.Mapping) error {
	size := health.BlockBytes(h.Catalog.Pool())
	end := uint64(0)
	for _, m := range mappings {
		end = max(end, m.Virtual+1)
	}
	return h.WithThin(ctx, id, int64(end)*size, func(f *os.File) error {
		piece := make([]byte, headPiece)
		for _, m := range mappings {
			if _, err := f.ReadAt(piece, int64(m.Virtual)*size); err != nil {
				return err
			}
			if _, err := f.WriteAt(piece, int64(m.Virtual)*size); err != nil {
				return err
			}
		}
		return f.Sync()
	})
}
