package thin

import (
	"context"
	"fmt"
	"io"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// The head is the pool's first data blocks. The devices @@data and @@pool begin
// with them, so whatever a volume had there would be taken for a signature of
// these devices: by LVM, blkid(8), the kernel. So a thin device that no volume
// has, with the id in catalog.Pool.Head, maps each head block n to data block n.

// headBlocks is how many blocks the head of a pool has.
func headBlocks(cfg catalog.Pool) uint64 {
	return uint64((label.HeadBytes + blockBytes(cfg) - 1) / blockBytes(cfg))
}

// newHeadID is the thin id of the head of a new pool; volumes begin with 1.
const newHeadID = 0

// makeHead makes the head of a new pool, before anything else can be allocated:
// the kernel then takes the data's blocks from the first on
// (persistent-data/dm-space-map-disk.c, sm_disk_new_block).
func (p *pool) makeHead(ctx context.Context) error {
	if err := p.thin.CreateThin(newHeadID); err != nil {
		return err
	}
	if err := p.withHead(ctx, newHeadID, func(f *os.File) error {
		return writeHead(f, p.cat.Pool(), newHeadID, nil)
	}); err != nil {
		return err
	}
	return p.confirmHead()
}

// withHead lets do work on the head's device, and removes it. The caller has the
// pool alone.
func (p *pool) withHead(ctx context.Context, id uint32, do func(*os.File) error) error {
	cfg := p.cat.Pool()
	return p.withThin(ctx, id, int64(headBlocks(cfg))*blockBytes(cfg), do)
}

// withThin is withHead for any thin id, of which it shows size bytes. No volume
// may be active.
func (p *pool) withThin(ctx context.Context, id uint32, size int64, do func(*os.File) error) error {
	if err := p.dropPart(ctx, partHead); err != nil { // what a killed command has left
		return err
	}
	info, err := p.dm.Info(p.ref(partPool))
	if err != nil {
		return err
	}
	table := thinTarget(info.Dev, id, size)
	name := partName(p.name(), partHead)
	dev, err := p.sys.makeDevice(ctx, p.dm, name, partUUID(p.uuid(), partHead), table, hiddenCookie)
	if err != nil {
		return err
	}
	a, err := openAs(os.O_RDWR, p.dm.NodePath(name), dev.Dev)
	if err == nil {
		err = p.dm.RemoveDeferred(p.ref(partHead))
		if err == nil {
			err = do(a.File)
		}
		a.Close()
	}
	if e := p.dropPart(ctx, partHead); err == nil {
		err = e
	}
	return err
}

// writeHead writes the headers of the head's blocks; only those that want says,
// unless it is nil. Each is written out before the next, so that the kernel takes
// the data's blocks for them in this order: writeback would choose its own. At
// return they are durable, and so is what they are mapped to.
func writeHead(f *os.File, cfg catalog.Pool, id uint32, want func(block uint64) bool) error {
	for n := range headBlocks(cfg) {
		if want != nil && !want(n) {
			continue
		}
		b, err := label.Head{UUID: cfg.UUID, ID: id, Block: n}.Bytes()
		if err != nil {
			return err
		}
		// The kernel zeroes what is left of a new block (dm-thin.c, schedule_zero).
		if _, err := f.WriteAt(b, int64(n)*blockBytes(cfg)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// confirmHead looks for the headers at the data's beginning.
func (p *pool) confirmHead() error {
	f, err := openDirect(p.dm.NodePath(partName(p.name(), partData)))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = readHead(f, 0, p.cat.Pool())
	return err
}

// readHead reads the headers of a pool's head, whose data begins at offset at
// (bytes) of r, and returns the thin id that they name. Any that is missing, or
// of another pool, is an error.
func readHead(r io.ReaderAt, at int64, cfg catalog.Pool) (id uint32, err error) {
	for n := range headBlocks(cfg) {
		h, err := label.ReadHead(r, at+int64(n)*blockBytes(cfg))
		if err != nil {
			return 0, fmt.Errorf("data block %d: %w", n, err)
		}
		if n == 0 {
			id = h.ID
		}
		if h != (label.Head{UUID: cfg.UUID, ID: id, Block: n}) {
			return 0, fmt.Errorf("data block %d: header says block %d of thin id %d of pool %s", n, h.Block, h.ID, h.UUID)
		}
	}
	return id, nil
}

// dropPart removes one of the pool's own devices, and waits for those who look at
// it in passing. What is not there is no error; what somebody keeps open is
// ErrBusy, with his name.
func (p *pool) dropPart(ctx context.Context, part string) error {
	if err := p.checkName(part); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, busyWait)
	defer cancel()
	info, found, err := waitOut(ctx, "", func() (dm.Info, error) {
		info, _ := p.dm.Info(p.ref(part))
		once, cancel := context.WithTimeout(ctx, passingPause)
		defer cancel()
		return info, p.dm.Deactivate(once, p.ref(part))
	})
	if isBusy(err) {
		return p.sys.deviceBusy(p.dm, "pool "+p.name(), info, found)
	}
	if err != nil {
		return err
	}
	return p.dm.WaitGone(ctx, p.ref(part), partName(p.name(), part))
}

// lookHead reads the head: past the page cache from the active pool's own
// device, else behind the label of its disk or file.
func (s *System) lookHead(c *dm.Control, f *facts) error {
	path, at := f.cfg.Data.Path, int64(label.Reserved)
	if d := f.part(partData); d != nil && d.Active() && !d.Suspended() {
		path, at = c.NodePath(d.Name), 0
	} else if b := f.backing(partData); labelFlaw(f.cfg, partData, b.Backing, b.label, b.err, b.carries, b.size) != nil {
		return nil // that stands in a finding of its own
	}
	file, err := openDirect(path)
	if err == nil {
		f.headID, err = readHead(file, at, f.cfg)
		file.Close()
	}
	f.headLooked, f.headErr = true, err
	return nil
}

// isHead tells whether a thin id is that of the head, by pool.json or, where
// that is an older copy, by the head itself.
func (f *facts) isHead(id thinpool.ID) bool {
	switch {
	case f.nameOf(device{id: uint32(id)}) != "":
		return false
	case f.cfg.Head != nil:
		return uint32(id) == *f.cfg.Head
	}
	return f.headLooked && f.headErr == nil && uint32(id) == f.headID
}

// head returns the thin id of the head, if the metadata has it.
func (f *facts) head() (id thinpool.ID, ok bool) {
	if f.meta == nil {
		return 0, false
	}
	for id := range f.meta.Devices {
		if f.isHead(id) {
			return id, true
		}
	}
	return 0, false
}

// repairHead is what repair does about a pool without a head.
const repairHead = "give them to a thin id of their own, and move what volumes have there; the pool is activated anew meanwhile"

// compareHead finds a pool whose first blocks are not kept free of volumes.
func (f *facts) compareHead() []Finding {
	if !f.headLooked || f.meta == nil {
		return nil
	}
	id, there := f.head()
	d := Finding{Kind: KindHead, Object: f.cfg.Name, id: uint32(id), Repair: repairHead}
	if users := f.activeVolumes(); users != "" {
		d.Repair, d.Hint = "", "no volume may be in use for the repair: unmount "+users+", and check again"
	}
	switch {
	case there && f.headErr == nil && f.cfg.Head != nil:
		return nil
	case there && f.headErr == nil:
		d.What = fmt.Sprintf("pool.json does not say that thin id %d has its first blocks", id)
	case there:
		d.What = "its first blocks are not kept free of volumes: " + f.headErr.Error()
	default:
		d.What = "its first blocks may be a volume's, whose signatures then show on its devices @@pool and @@data"
	}
	return []Finding{d}
}
