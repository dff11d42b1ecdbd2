package thin

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
)

// DeletePool deletes a pool: its devices, its files, its catalog. One with
// volumes is refused unless withVolumes is said, one in use always.
func (s *System) DeletePool(ctx context.Context, name string, withVolumes bool) error {
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := s.openPool(ctx, c, name, exclusive)
		if err != nil {
			return err
		}
		defer p.close()
		volumes, err := p.cat.Volumes()
		if err != nil && !withVolumes {
			return corrupt("pool "+name, err)
		}
		if len(volumes) > 0 && !withVolumes {
			return &Error{Object: "pool " + name, Err: reason(ErrBusy, "has %d volumes, %s among them", len(volumes), volumes[0].Name),
				Hint: "thin-snap pool delete -r " + name + " deletes them all"}
		}
		if err := p.deactivate(ctx); err != nil {
			return err
		}
		s.step("deleting pool %s", name)
		if err := p.cat.SetPool(func(c *catalog.Pool) { c.Operations = []catalog.Operation{{Op: catalog.OpDeletePool}} }); err != nil {
			return p.fail(err)
		}
		if err := p.clearHalfMade(ctx); err != nil {
			return err
		}
		return p.lock.Remove()
	})
}

// halfMade says that the pool is being made or deleted by a command that, since
// the lock is ours, is dead.
func (p *pool) halfMade() bool {
	_, incomplete := p.cat.Pool().Incomplete()
	return incomplete
}

// clearHalfMade removes all there is of the pool; pool.json goes last.
func (p *pool) clearHalfMade(ctx context.Context) error {
	p.sys.step("clearing away pool %s", p.name())
	if err := p.dismantle(ctx); err != nil {
		return p.fail(err)
	}
	if err := p.dropLocks(); err != nil {
		return p.fail(err)
	}
	cfg := p.cat.Pool()
	for _, b := range []catalog.Backing{cfg.Data, cfg.Metadata} {
		if err := p.clearBacking(b); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return p.fail(err)
		}
	}
	return p.fail(p.cat.Destroy())
}

// dropLocks removes the files of all locks of volumes, whoever they were.
func (p *pool) dropLocks() error {
	traces, err := p.sys.refs().Traces(p.name())
	for volume := range traces {
		if ref, err := p.sys.refs().TryLock(p.name(), volume); err == nil {
			ref.CloseRemove()
		}
	}
	return err
}

// clearBacking removes a file, and takes the label off a device, if they are
// this pool's own.
func (p *pool) clearBacking(b catalog.Backing) error {
	flags := os.O_RDWR | unix.O_CLOEXEC
	if b.Kind == catalog.KindFile {
		flags |= unix.O_NOFOLLOW | unix.O_NONBLOCK
	}
	f, err := os.OpenFile(b.Path, flags, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := label.Read(f)
	ours := err == nil && l.UUID == p.uuid()
	switch {
	case b.Kind == catalog.KindFile && (ours || errors.Is(err, label.ErrNone)):
		if err := os.Remove(b.Path); err != nil {
			return err
		}
	case b.Kind == catalog.KindDevice && ours:
		if err := label.Wipe(f); err != nil {
			return err
		}
		if _, err := f.WriteAt(make([]byte, 4096), label.Reserved); err != nil {
			return err
		}
		return f.Sync()
	}
	return nil
}
