package thin

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/mkfs"
	"thinmount/lib/thinpool"
)

// CreateSpec describes a new volume.
type CreateSpec struct {
	Pool, Volume string
	Size         int64  // bytes, rounded up to whole blocks of the pool
	FS           string // filesystem to make; "" leaves the volume unformatted
	Label        string // the filesystem's label
	Force        bool   // although less than the pool's margin is free
}

// Create makes an empty volume and, if asked, a filesystem on it. The volume
// exists, with its filesystem, when Create returns nil, and not at all when it
// fails or dies.
func (s *System) Create(ctx context.Context, spec CreateSpec) error {
	if err := s.checkCreate(spec); err != nil {
		return err
	}
	wait, cancel := s.waiting(ctx)
	defer cancel()
	c, err := s.kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := s.openCatalog(spec.Pool); err != nil {
		return err
	}
	ref, err := s.lockVolume(wait, spec.Pool, spec.Volume)
	if err != nil {
		return err
	}
	defer s.letGo(ref, spec.Pool, spec.Volume)
	if err := s.clearName(wait, c, spec.Pool, spec.Volume); err != nil {
		return err
	}
	v, err := s.createUnformatted(wait, c, spec)
	if err != nil || spec.FS == "" {
		return err
	}
	return s.formatNew(ctx, c, v, spec)
}

func (s *System) checkCreate(spec CreateSpec) error {
	if err := errors.Join(catalog.CheckPoolName(spec.Pool), catalog.CheckVolumeName(spec.Volume)); err != nil {
		return wrap(ErrUsage, err)
	}
	if spec.Size <= 0 {
		return &Error{Object: spec.Pool + "/" + spec.Volume, Err: reason(ErrUsage, "a volume needs a size"), Hint: "add --size, for example --size 2G"}
	}
	if err := thinpool.CheckSize(spec.Size); err != nil {
		return &Error{Object: spec.Pool + "/" + spec.Volume, Err: wrap(ErrUsage, fmt.Errorf("size: %w", err))}
	}
	if spec.FS != "" {
		return checkFS(spec.Pool+"/"+spec.Volume, spec.FS, spec.Label)
	}
	return nil
}

func (s *System) createUnformatted(ctx context.Context, c *dm.Control, spec CreateSpec) (catalog.Volume, error) {
	p, err := s.openActive(ctx, c, spec.Pool, exclusive)
	if err != nil {
		return catalog.Volume{}, err
	}
	defer p.close()
	v := catalog.Volume{Name: spec.Volume, Pool: spec.Pool, PoolUUID: p.uuid(), Size: p.roundUp(spec.Size), FS: spec.FS}
	next := ""
	if spec.FS != "" {
		next = catalog.OpFormat
	}
	s.step("creating %s/%s", spec.Pool, spec.Volume)
	v, err = p.addVolume(ctx, v, next, spec.Force, func(id thinpool.ID) error { return p.thin.CreateThin(id) })
	if err == nil {
		p.warnOvercommitted(v.Size)
	}
	return v, err
}

// roundUp makes size a multiple of the pool's block.
func (p *pool) roundUp(size int64) int64 {
	block := int64(p.cat.Pool().BlockSize) * dm.SectorSize
	return (size + block - 1) / block * block
}

// formatNew formats a volume that nobody sees yet, then shows it; if mkfs
// fails, the volume goes again.
func (s *System) formatNew(ctx context.Context, c *dm.Control, v catalog.Volume, spec CreateSpec) error {
	err := s.makeFS(ctx, c, v, spec.FS, spec.Label)
	wait, cancel := s.waiting(context.WithoutCancel(ctx))
	defer cancel()
	p, e := s.openActive(wait, c, v.Pool, exclusive)
	if e != nil {
		return errors.Join(err, e)
	}
	defer p.close()
	if err != nil {
		for _, op := range p.cat.Pool().Operations {
			if op.Volume == v.Name {
				err = errors.Join(err, p.deleteVolume(wait, op))
			}
		}
		return err
	}
	return p.fail(p.cat.SetPool(func(c *catalog.Pool) { c.Finish(v.Name) }))
}

// toBeWritten activates a volume that is to be filled, in a pool that has room.
func (p *pool) toBeWritten(ctx context.Context, v catalog.Volume) (*activation, error) {
	st, err := p.canWrite()
	if err != nil {
		return nil, err
	}
	if st.OutOfData() {
		return nil, p.inState(st)
	}
	return p.activateVolume(ctx, v, false)
}

// makeFS activates the volume, runs mkfs, and lets the device go.
func (s *System) makeFS(ctx context.Context, c *dm.Control, v catalog.Volume, fs, label string) error {
	p, a, err := s.openToBeWritten(ctx, c, v)
	if err != nil {
		return err
	}
	s.step("making %s on %s/%s", fs, v.Pool, v.Name)
	return p.write(ctx, a, v, func() error {
		if err := mkfs.Make(ctx, fs, a.path, mkfs.Options{Label: label, Output: s.output()}); err != nil {
			return err
		}
		wait, cancel := s.waiting(ctx)
		defer cancel()
		return s.flushed(wait, c, v, a.File) // not every mkfs looks whether what it wrote has arrived
	})
}

// openToBeWritten is toBeWritten of a pool that is locked meanwhile alone.
func (s *System) openToBeWritten(ctx context.Context, c *dm.Control, v catalog.Volume) (*pool, *activation, error) {
	wait, cancel := s.waiting(ctx)
	defer cancel()
	p, err := s.openActive(wait, c, v.Pool, shared)
	if err != nil {
		return nil, nil, err
	}
	defer p.close()
	a, err := p.toBeWritten(wait, v)
	return p, a, err
}

// write lets do write to an activated volume, and the device go. The deadline is
// for the latter: do takes as long as it does.
func (p *pool) write(ctx context.Context, a *activation, v catalog.Volume, do func() error) error {
	err := do()
	a.Close()
	if err != nil && !errors.As(err, new(*Error)) {
		err = &Error{Object: v.Pool + "/" + v.Name, Err: err}
	}
	if err != nil {
		return p.ranFull(err)
	}
	wait, cancel := p.sys.waiting(ctx)
	defer cancel()
	return p.sys.removeDevice(wait, p.dm, v)
}
