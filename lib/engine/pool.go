package engine

import (
	"context"
	"errors"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// Pool is an opened pool: its catalog as read under its lock.
type Pool struct {
	Sys     *host.System
	DM      *dm.Control
	Catalog *catalog.Catalog
	Lock    *filelock.Lock
	Target  *thinpool.Pool
}

// access says how a pool is opened.
type access int

const (
	Shared    access = iota // many at once: volumes of an active pool come and go
	Exclusive               // one alone: writes pool.json, sends messages
)

// OpenPool locks the pool and reads its catalog; it does not activate it.
// A pool that is half made or half deleted is not found: what is left of it
// goes when somebody opens it exclusively. OpenPool looks before it locks, too:
// a name that is mistyped makes no lock file.
func OpenPool(ctx context.Context, s *host.System, c *dm.Control, name string, a access) (*Pool, error) {
	if err := catalog.CheckPoolName(name); err != nil {
		return nil, fault.Wrap(fault.ErrUsage, err)
	}
	if _, err := registry.OpenCatalog(s, name); err != nil {
		return nil, err
	}
	return openKnown(ctx, s, c, name, a)
}

// openKnown is OpenPool of a pool that was there a moment ago. It reads pool.json
// once, under the lock.
func openKnown(ctx context.Context, s *host.System, c *dm.Control, name string, a access) (*Pool, error) {
	done := s.WaitingFor("another command on pool " + name)
	lock, err := s.Refs().PoolLock(ctx, name, a == Shared)
	done()
	if err != nil {
		return nil, fault.WaitError("pool "+name, err)
	}
	cat, err := registry.OpenCatalog(s, name)
	if err != nil {
		lock.Unlock()
		return nil, err
	}
	p := &Pool{Sys: s, DM: c, Catalog: cat, Lock: lock, Target: thinpool.New(c, dmname.PartUUID(cat.Pool().UUID, dmname.Pool))}
	if p.HalfMade() {
		if a == Exclusive {
			err = p.ClearHalfMade(ctx)
		}
		p.Close()
		if err == nil {
			err = registry.NoPool(name)
		}
		return nil, err
	}
	return p, nil
}

// OpenActive opens the pool and sees to it that it is active, and that what a
// killed command left in it is finished. A caller who opens it Shared has read
// its catalog already.
func OpenActive(ctx context.Context, s *host.System, c *dm.Control, name string, a access) (*Pool, error) {
	if a == Exclusive {
		p, err := OpenPool(ctx, s, c, name, Exclusive)
		if err != nil {
			return nil, err
		}
		return p, p.closeOn(p.prepare(ctx))
	}
	// Activating and finishing want the pool alone. Between the two locks it
	// may be deactivated again, hence the loop.
	for tended := false; ; tended = true {
		p, err := openKnown(ctx, s, c, name, Shared)
		if err != nil {
			return nil, err
		}
		live, err := p.live()
		if err != nil {
			return nil, p.closeOn(err)
		}
		if live && (tended || len(p.Catalog.Pool().Intents) == 0) {
			return p, nil
		}
		p.Close()
		if err := prepareShared(ctx, s, c, name, live); err != nil {
			return nil, err
		}
	}
}

// prepareShared activates the pool and finishes, if that is possible, what is left in it.
// Where the pool is active and somebody at work on it, there is nothing to do.
func prepareShared(ctx context.Context, s *host.System, c *dm.Control, name string, live bool) error {
	if live {
		lock, err := s.Refs().TryPoolLock(name, false)
		if err != nil {
			return nil
		}
		lock.Unlock()
	}
	p, err := openKnown(ctx, s, c, name, Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.Activate(ctx); err != nil {
		return err
	}
	return p.recoverIfPossible(ctx)
}

// prepare activates the pool if need be, checks that it is the one that the
// catalog describes, and finishes what a killed command left.
func (p *Pool) prepare(ctx context.Context) error {
	if err := p.Activate(ctx); err != nil {
		return err
	}
	return p.Recover(ctx)
}

func (p *Pool) Close() { p.Lock.Unlock() }

// closeOn closes the pool if err is an error, and returns err.
func (p *Pool) closeOn(err error) error {
	if err != nil {
		p.Close()
	}
	return err
}

func (p *Pool) Name() string { return p.Catalog.Pool().Name }

func (p *Pool) UUID() string { return p.Catalog.Pool().UUID }

func (p *Pool) Ref(part string) dm.Ref { return dm.ByUUID(dmname.PartUUID(p.UUID(), part)) }

// HasDevice says that the pool is active, in whatever state.
func (p *Pool) HasDevice() bool {
	info, err := p.DM.Info(p.Ref(dmname.Pool))
	return err == nil && info.Active()
}

// IsActive says that the pool is active and can be asked.
func (p *Pool) IsActive() bool {
	live, err := p.live()
	return live && err == nil
}

// live tells whether the pool is active and can be asked. What is active and not
// this pool's is an error. Each device is asked once: every mount does it.
func (p *Pool) live() (bool, error) {
	table, info, err := p.DM.Table(p.Ref(dmname.Pool))
	sound := err == nil && info.Active() && !info.Suspended() && len(table) == 1 && table[0].Type == "thin-pool"
	for _, part := range []string{dmname.Data, dmname.Meta} {
		table, info, err := p.DM.Table(p.Ref(part))
		if err != nil || !info.Active() {
			continue
		}
		if other := backing.CopyBelow(p.Catalog.Pool(), part, table, info); other != nil {
			return false, other.Err
		}
		sound = sound && !info.Suspended()
	}
	return sound, nil
}

// Wrap puts the pool's name before err.
func (p *Pool) Wrap(err error) error {
	if err == nil {
		return nil
	}
	var named *fault.Error
	if errors.As(err, &named) {
		return err
	}
	return &fault.Error{Object: "pool " + p.Name(), Err: err}
}
