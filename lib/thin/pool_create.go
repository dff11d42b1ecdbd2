package thin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"thinmount/lib/atomicfile"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// Sizes of a pool for which none are given.
const (
	DefaultPoolSize  int64 = 100 << 30 // bytes; the file is sparse; less where there is less
	DefaultBlockSize int64 = 64 << 10  // bytes
)

// PoolSpec describes a new pool. It stands on two block devices, or else on two
// sparse files in Dir.
type PoolSpec struct {
	Name           string
	DataDevice     string // block device, or "" for a file
	MetadataDevice string // block device, or "" for a file
	Dir            string // folder of the files; "" is the catalog's own
	Size           int64  // bytes of data; 0: all of the device, or at most DefaultPoolSize
	MetadataSize   int64  // bytes of metadata; 0: all of the device, or what Size wants
	BlockSize      int64  // bytes; 0: DefaultBlockSize
	OnFull         string // "error" (default) or "queue"
	Margin         *int   // percent that new volumes leave free; nil: 10
	Force          bool   // overwrite what the devices carry
}

// CreatePool makes a pool and activates it. When it fails or dies, nothing of
// the pool is left (after the next command, if it was killed).
func (s *System) CreatePool(ctx context.Context, spec PoolSpec) error {
	ctx, cancel := s.waiting(ctx)
	defer cancel()
	if err := checkPool(&spec); err != nil {
		return err
	}
	c, err := s.kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.kernelHasThin(c); err != nil {
		return err
	}
	if err := errors.Join(refcount.CheckDir(s.StateDir), refcount.CheckDir(s.RunDir)); err != nil {
		return err
	}
	s.tidyOthers(ctx, c)
	lock, err := s.refs().PoolLock(ctx, spec.Name, false)
	if err != nil {
		return waitError("pool "+spec.Name, err)
	}
	defer lock.Unlock()
	if err := s.refusePool(ctx, c, spec.Name); err != nil {
		return err
	}
	cfg, held, err := s.plan(spec)
	if err == nil {
		err = refuseTakenNames(c, cfg)
	}
	defer held.Close()
	if err != nil {
		return errors.Join(err, lock.Remove()) // there is no such pool
	}
	cat, err := s.catalogs().Create(cfg)
	if err != nil {
		return &Error{Object: "pool " + spec.Name, Err: err}
	}
	p := &pool{sys: s, dm: c, cat: cat, lock: lock, thin: thinpool.New(c, partUUID(cfg.UUID, partPool))}
	if err := p.make(ctx, held); err != nil {
		undo, cancel := s.undoing(ctx)
		defer cancel()
		return errors.Join(p.fail(err), p.clearHalfMade(undo), lock.Remove())
	}
	return nil
}

// kernelHasThin loads the module by asking for it.
func (s *System) kernelHasThin(c *dm.Control) error {
	if _, err := c.TargetVersion("thin-pool"); err != nil {
		return &Error{Object: "kernel", Err: wrap(ErrNoKernel, fmt.Errorf("has no thin-pool target: %w", err)), Hint: "modprobe dm_thin_pool"}
	}
	return nil
}

// refusePool refuses a name that is taken; a pool that was half made when its
// command died makes room.
func (s *System) refusePool(ctx context.Context, c *dm.Control, name string) error {
	cat, err := s.catalogs().Open(name)
	if errors.Is(err, catalog.ErrNoPool) {
		return s.refuseRest(name, ErrExists)
	}
	var m *catalog.MisplacedError
	if errors.As(err, &m) {
		return misplaced(name, ErrExists, m)
	}
	if err != nil {
		return corrupt("pool "+name, err)
	}
	p := &pool{sys: s, dm: c, cat: cat, thin: thinpool.New(c, partUUID(cat.Pool().UUID, partPool))}
	if p.halfMade() {
		return p.clearHalfMade(ctx)
	}
	return &Error{Object: "pool " + name, Err: reason(ErrExists, "exists already"), Hint: "thin-snap pool show " + name}
}

// make turns the plan into a pool that works. The catalog says already that it
// is being made. Nothing is refused any more that could have been seen before.
func (p *pool) make(ctx context.Context, held *claims) error {
	cfg := p.cat.Pool()
	if err := p.makeBacking(ctx, cfg.Data, "data", held); err != nil {
		return err
	}
	if err := p.makeBacking(ctx, cfg.Metadata, "metadata", held); err != nil {
		return err
	}
	held.Close() // device-mapper claims them next
	p.sys.step("activating pool %s", cfg.Name)
	if err := p.build(ctx, true); err != nil {
		return err
	}
	if err := p.makeHead(ctx); err != nil {
		return err
	}
	if err := p.thin.Confirm(); err != nil {
		return err
	}
	p.sys.warnLargerThanBelow(cfg)
	p.sys.warnLittleMetadata(cfg)
	return p.cat.SetPool(func(c *catalog.Pool) { c.Operations = nil })
}

// makeBacking makes the file, or clears the device, and labels it. The first
// block behind the label is zeroed: that is how the kernel knows that metadata
// is to be formatted.
func (p *pool) makeBacking(ctx context.Context, b catalog.Backing, role string, held *claims) error {
	f, err := held.of(role), error(nil)
	if b.Kind == catalog.KindFile {
		if f, err = os.OpenFile(b.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		defer f.Close()
		err = p.makeFile(ctx, f, b, role)
	} else {
		err = zeroEnds(f)
	}
	if err != nil {
		return err
	}
	cfg := p.cat.Pool()
	if err := label.Write(f, label.Label{Pool: cfg.Name, UUID: cfg.UUID, Role: role, BlockSize: cfg.BlockSize, Size: b.Size, Created: cfg.Created}); err != nil {
		return fmt.Errorf("%s: %w", b.Path, err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if b.Kind != catalog.KindFile {
		return nil
	}
	return atomicfile.SyncDir(filepath.Dir(b.Path))
}

// zeroEnds wipes the signatures that filesystems, partition tables and RAID
// keep in the first and the last MiB, and the block in which the kernel would
// find old metadata.
func zeroEnds(f *os.File) error {
	size, err := loop.Size(f)
	if err != nil {
		return err
	}
	zero := make([]byte, 1<<20)
	for _, at := range []int64{0, label.Reserved, max(0, size-1<<20)} {
		if _, err := f.WriteAt(zero[:min(int64(len(zero)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}
