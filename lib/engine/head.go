package engine

import (
	"context"
	"fmt"
	"io"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/spec"
)

// The head is the pool's first data blocks. The devices @@data and @@pool begin
// with them, so LVM, blkid(8) and the kernel would take what a volume had there
// for a signature of these devices. So no volume gets these blocks: a thin
// device of their own, with the id catalog.Pool.Head, maps each head block n to
// data block n.

// HeadBlocks returns how many blocks the head of a pool has.
func HeadBlocks(cfg catalog.Pool) uint64 {
	return uint64((label.HeadBytes + health.BlockBytes(cfg) - 1) / health.BlockBytes(cfg))
}

// NewHeadID is the thin id of the head of a new pool. The ids of volumes begin
// with 1.
const NewHeadID = 0

// MakeHead makes the head of a new pool. It must run before anything else is
// allocated: the kernel then takes the data blocks from the first one on
// (persistent-data/dm-space-map-disk.c, sm_disk_new_block). ConfirmHead then
// looks at the data device whether it was so.
func (p *Pool) MakeHead(ctx context.Context) error {
	if err := p.Target.CreateThin(NewHeadID); err != nil {
		return err
	}
	if err := p.WithHead(ctx, NewHeadID, func(f *os.File) error {
		return WriteHead(f, p.Catalog.Pool(), NewHeadID, nil)
	}); err != nil {
		return err
	}
	return p.ConfirmHead()
}

// WithHead makes the head's device, calls do with it, and removes it. The
// caller holds the pool's lock exclusively.
func (p *Pool) WithHead(ctx context.Context, id spec.ID, do func(*os.File) error) error {
	cfg := p.Catalog.Pool()
	return p.WithThin(ctx, id, int64(HeadBlocks(cfg))*health.BlockBytes(cfg), do)
}

// WithThin does what WithHead does, for any thin id. The device has size bytes.
// No volume may be active. The device has a name and a uuid of the pool's own,
// so that the next command finds and removes what a killed one left.
func (p *Pool) WithThin(
	ctx context.Context, id spec.ID, size int64, do func(*os.File) error,
) error {
	if err := p.dropPart(ctx, dmname.Head); err != nil { // a killed command may have left it
		return err
	}
	info, err := p.DM.Info(p.Ref(dmname.Pool))
	if err != nil {
		return err
	}
	table := thinTarget(info.Dev, id, size)
	name := dmname.Part(p.Name(), dmname.Head)
	dev, err := makeDevice(ctx, p.Sys, p.DM, name, dmname.PartUUID(p.UUID(), dmname.Head), table,
		dm.ActivateOptions{Cookie: host.HiddenCookie})
	if err != nil {
		return err
	}
	// From the mark for removal on, the kernel removes the device when this
	// process ends.
	a, err := openAs(os.O_RDWR, p.DM.NodePath(name), dev.Dev)
	if err == nil {
		err = p.DM.RemoveDeferred(p.Ref(dmname.Head))
		if err == nil {
			err = do(a.File)
		}
		a.Close()
	}
	// The kernel may be removing it already: this waits until its thin id is
	// free again.
	if e := p.dropPart(ctx, dmname.Head); err == nil {
		err = e
	}
	return err
}

// WriteHead writes the headers of the head's blocks. If want is not nil, it
// writes only those for which want returns true. It syncs each block before the
// next one, so that the kernel gives them data blocks in this order; writeback
// would choose its own order. When WriteHead returns, the headers and their
// mappings are durable.
func WriteHead(f *os.File, cfg catalog.Pool, id spec.ID, want func(block uint64) bool) error {
	for n := range HeadBlocks(cfg) {
		if want != nil && !want(n) {
			continue
		}
		b, err := label.Head{UUID: cfg.UUID, ID: id, Block: n}.Bytes()
		if err != nil {
			return err
		}
		// The kernel zeroes the rest of a new block (dm-thin.c, schedule_zero).
		if _, err := f.WriteAt(b, int64(n)*health.BlockBytes(cfg)); err != nil {
			return err
		}
		// A sync of a block device sends a flush, and for that the pool commits
		// its metadata (drivers/md/dm-thin.c, process_deferred_bios).
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// ConfirmHead returns an error unless the data device begins with the headers.
// It reads past the page cache, which may have what was there before the pool
// wrote.
func (p *Pool) ConfirmHead() error {
	f, err := host.OpenDirect(p.DM.NodePath(dmname.Part(p.Name(), dmname.Data)))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = ReadHead(f, 0, p.Catalog.Pool())
	return err
}

// ReadHead reads the headers of a pool's head and returns the thin id that they
// name. The pool's data begins at byte at of r. A header that is missing, or
// that belongs to another pool, is an error.
func ReadHead(r io.ReaderAt, at int64, cfg catalog.Pool) (id spec.ID, err error) {
	for n := range HeadBlocks(cfg) {
		h, err := label.ReadHead(r, at+int64(n)*health.BlockBytes(cfg))
		if err != nil {
			return 0, fmt.Errorf("data block %d: %w", n, err)
		}
		if n == 0 {
			id = h.ID
		}
		if h != (label.Head{UUID: cfg.UUID, ID: id, Block: n}) {
			return 0, fmt.Errorf("data block %d: header says block %d of thin id %d of pool %s",
				n, h.Block, h.ID, h.UUID)
		}
	}
	return id, nil
}

// dropPart removes one of the pool's own devices, and waits for processes that
// have it open for a moment. If there is no such device, dropPart returns nil.
// If a process keeps the device open, the error is ErrBusy and names that
// process.
func (p *Pool) dropPart(ctx context.Context, part string) error {
	if err := p.checkName(part); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, host.BusyWait)
	defer cancel()
	info, found, err := WaitOut(ctx, "", func() (dm.Info, error) {
		info, _ := p.DM.Info(p.Ref(part))
		once, cancel := context.WithTimeout(ctx, PassingPause)
		defer cancel()
		return info, p.DM.Deactivate(once, p.Ref(part))
	})
	if IsBusy(err) {
		return DeviceBusy(p.Sys, p.DM, "pool "+p.Name(), info, found)
	}
	if err != nil {
		return err
	}
	return p.DM.WaitGone(ctx, p.Ref(part), dmname.Part(p.Name(), part))
}
