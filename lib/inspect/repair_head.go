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
	"thinmount/lib/thinpool"
	"thinmount/lib/volumes"
)

// A pool that was made without a head gets one by this:
//
//  1. The head's thin device is made, and its headers are written. They take the
//     lowest blocks that are free.
//  2. Of devices that have the first blocks, snapshots are made, so that each of
//     these blocks is in a snapshot. Then the kernel moves whoever is written to: of
//     each device that has such a block a piece of it is read, and written as it
//     is. What the device holds stays the same.
//  3. The snapshots are deleted. Nobody has the first blocks any more, but for
//     those that the head has got.
//  4. The head's blocks that lie elsewhere are discarded, the pool is activated
//     anew, with which the kernel begins its search for free blocks at the first
//     one, and the headers are written again.
//
// After a crash at any point the volumes are as they were: the snapshots are
// operations of the catalog, which the next command undoes, and the repair can
// be done again.

// headRounds is how often steps 2 to 4 are tried; once is enough where nobody
// else changes the pool.
const headRounds = 4

// headPiece is how much of a block is written to have it moved (bytes).
const headPiece = 4096

// headRepair is one repair of a pool's head, which has the pool alone.
type headRepair struct {
	*engine.Pool
	id     uint32
	blocks uint64
}

// reserveHead gives a pool that has none its head. No volume may be active. The
// pool is active afterwards.
func reserveHead(ctx context.Context, s *host.System, name string) error {
	c, err := s.Kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	wait, cancel := s.Waiting(ctx)
	defer cancel()
	p, err := engine.OpenActive(wait, s, c, name, engine.Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Wrap(p.Explain(makeHeadLate(ctx, p)))
}

func makeHeadLate(ctx context.Context, p *engine.Pool) error {
	if ops := p.Catalog.Pool().Intents; len(ops) > 0 {
		return fault.Errorf(fault.ErrBusy, "the %s of %s/%s is still at work", ops[0].Op, p.Name(), ops[0].Volume)
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
	if err := h.step(ctx, func(ctx context.Context) error { return h.write(ctx, nil) }); err != nil {
		return err
	}
	for range headRounds {
		if done, err := h.round(ctx); done || err != nil {
			return err
		}
	}
	return fault.Errorf(fault.ErrPoolState, "its first blocks are used again and again: is anybody else changing the pool?")
}

// step does one step, within a deadline of its own.
func (h *headRepair) step(ctx context.Context, do func(context.Context) error) error {
	wait, cancel := h.Sys.Waiting(ctx)
	defer cancel()
	return do(wait)
}

// hasRoom refuses a pool that has no room for what is to be moved: each device
// gets blocks of its own in place of those that it shares.
func (h *headRepair) hasRoom(found map[thinpool.ID][]thinpool.Mapping) error {
	st, err := h.CanWrite()
	if err != nil {
		return err
	}
	want := 2 * h.blocks
	for _, mappings := range found {
		want += uint64(len(mappings))
	}
	if free := health.Spaces(h.Catalog.Pool(), st)[0].Free(); free < want {
		return volumes.Full(h.Name(), "%d blocks are free, and %d are wanted to move what lies in the first ones", free, want)
	}
	return nil
}

// restart activates the pool anew.
func restart(ctx context.Context, p *engine.Pool) error {
	if err := p.Deactivate(ctx); err != nil {
		return err
	}
	return p.Activate(ctx)
}

// choose takes the head's id from pool.json, or from the head itself, or chooses
// one, and has the kernel make it.
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
			if _, there := devices[thinpool.ID(h.id)]; there {
				break
			}
		}
		h.id = engine.NewHeadID
		if _, taken := devices[engine.NewHeadID]; taken {
			h.id = cfg.NextID
		}
		if _, taken := devices[thinpool.ID(h.id)]; taken || h.id > thinpool.MaxID {
			return fault.Errorf(fault.ErrPoolState, "no thin id is free for it")
		}
	}
	volumes, err := h.Catalog.VolumesAnyState()
	if err != nil {
		return err
	}
	for _, v := range volumes {
		if v.ID == h.id {
			return fault.Errorf(fault.ErrPoolState, "thin id %d, which its first blocks are to have, is %s's", h.id, v.Name)
		}
	}
	if err := h.Catalog.SetPool(func(c *catalog.Pool) {
		c.Head = &h.id
		c.NextID = max(c.NextID, h.id+1)
	}); err != nil {
		return err
	}
	if _, there := devices[thinpool.ID(h.id)]; there {
		return nil
	}
	if err := h.Target.CreateThin(thinpool.ID(h.id)); err != nil {
		return err
	}
	return h.Target.Confirm()
}

// idOnDisk is the id that the headers name.
func idOnDisk(p *engine.Pool) (uint32, error) {
	f, err := host.OpenDirect(p.DM.NodePath(dmname.Part(p.Name(), dmname.Data)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return engine.ReadHead(f, 0, p.Catalog.Pool())
}

// write writes the headers of those blocks that want says, or of all.
func (h *headRepair) write(ctx context.Context, want func(uint64) bool) error {
	return h.WithHead(ctx, h.id, func(f *os.File) error { return engine.WriteHead(f, h.Catalog.Pool(), h.id, want) })
}

// first reads who has the first blocks.
func (h *headRepair) first(ctx context.Context) (map[thinpool.ID][]thinpool.Mapping, error) {
	f, err := host.OpenDirect(h.DM.NodePath(dmname.Part(h.Name(), dmname.Meta)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return thinpool.ReadFirst(ctx, f, 0, h.blocks)
}

// round moves whoever has one of the first blocks, and has the head take them.
// done says that it has them all.
func (h *headRepair) round(ctx context.Context) (done bool, err error) {
	found, err := h.first(ctx)
	if err != nil {
		return false, err
	}
	right := map[uint64]bool{}
	for _, m := range found[thinpool.ID(h.id)] {
		right[m.Virtual] = m.Virtual == m.Data
	}
	delete(found, thinpool.ID(h.id))
	wrong := func(n uint64) bool { return !right[n] }
	if len(found) == 0 && h.ConfirmHead() == nil {
		return true, nil
	}
	if err := h.moveAll(ctx, found); err != nil {
		return false, err
	}
	return false, h.step(ctx, func(ctx context.Context) error {
		if err := h.WithHead(ctx, h.id, func(f *os.File) error { return h.discard(ctx, f, wrong) }); err != nil {
			return err
		}
		if err := restart(ctx, h.Pool); err != nil {
			return err
		}
		return h.write(ctx, nil)
	})
}

// discard gives those of the head's blocks back that want says.
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

// moveAll has the kernel put blocks of devices elsewhere.
func (h *headRepair) moveAll(ctx context.Context, found map[thinpool.ID][]thinpool.Mapping) (err error) {
	var held []catalog.Intent
	defer func() {
		for _, op := range held {
			err = errors.Join(err, h.step(ctx, func(ctx context.Context) error { return h.DeleteVolume(ctx, op) }))
		}
	}()
	for _, id := range cover(found) {
		op, err := h.hold(id)
		if op.Volume != "" {
			held = append(held, op)
		}
		if err != nil {
			return err
		}
	}
	for id, mappings := range found {
		if err := h.step(ctx, func(ctx context.Context) error { return h.move(ctx, id, mappings) }); err != nil {
			return err
		}
	}
	return nil
}

// cover chooses devices which have, together, all the blocks that are found. Who
// shares a block with another has been part of a snapshot since it was written,
// and is moved as well (dm-thin-metadata.c, __snapshotted_since).
func cover(found map[thinpool.ID][]thinpool.Mapping) (chosen []thinpool.ID) {
	covered := map[uint64]bool{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		more := slices.ContainsFunc(found[id], func(m thinpool.Mapping) bool { return !covered[m.Data] })
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

// hold makes a snapshot of a device, which an operation hides until it is
// deleted.
func (h *headRepair) hold(id thinpool.ID) (catalog.Intent, error) {
	name, err := h.unusedName(id)
	if err != nil {
		return catalog.Intent{}, err
	}
	op, err := h.Begin(catalog.Intent{Op: catalog.OpCreate, Volume: name})
	if err == nil {
		op, err = h.SendCreate(op, func(snapshot thinpool.ID) error { return h.Target.CreateSnapshot(snapshot, id) })
	}
	if err == nil {
		err = h.Commit(op, catalog.OpFormat)
	}
	if err != nil {
		return catalog.Intent{}, h.Rollback(context.Background(), err)
	}
	return catalog.Intent{Op: catalog.OpFormat, Volume: name, ID: op.ID}, nil
}

// unusedName is a name that no volume has.
func (h *headRepair) unusedName(id thinpool.ID) (string, error) {
	for n := 0; ; n++ {
		name := fmt.Sprintf("first-blocks-%d-%d", id, n)
		_, err := h.Catalog.VolumeAnyState(name)
		busy := slices.ContainsFunc(h.Catalog.Pool().Intents, func(op catalog.Intent) bool { return op.Volume == name })
		if errors.Is(err, fs.ErrNotExist) && !busy {
			return name, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
}

// move writes a piece of each block as it is: the kernel puts a block that is
// shared elsewhere before it is written to (dm-thin.c, break_sharing).
func (h *headRepair) move(ctx context.Context, id thinpool.ID, mappings []thinpool.Mapping) error {
	size := health.BlockBytes(h.Catalog.Pool())
	end := uint64(0)
	for _, m := range mappings {
		end = max(end, m.Virtual+1)
	}
	return h.WithThin(ctx, uint32(id), int64(end)*size, func(f *os.File) error {
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
