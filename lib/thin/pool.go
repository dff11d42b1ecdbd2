package thin

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/filelock"
	"thinmount/lib/thinpool"
)

// pool is an opened pool: its catalog as read under its lock.
type pool struct {
	sys  *System
	dm   *dm.Control
	cat  *catalog.Catalog
	lock *filelock.Lock
	thin *thinpool.Pool
}

// access says how a pool is opened.
type access int

const (
	shared    access = iota // many at once: volumes of an active pool come and go
	exclusive               // one alone: writes pool.json, sends messages
)

// openPool locks the pool and reads its catalog; it does not activate it.
// A pool that is half made or half deleted is not found: what is left of it
// goes when somebody opens it exclusively.
func (s *System) openPool(ctx context.Context, c *dm.Control, name string, a access) (*pool, error) {
	if err := catalog.CheckPoolName(name); err != nil {
		return nil, wrap(ErrUsage, err)
	}
	if _, err := s.openCatalog(name); err != nil {
		return nil, err
	}
	done := s.waitingFor("another command on pool " + name)
	lock, err := s.refs().PoolLock(ctx, name, a == shared)
	done()
	if err != nil {
		return nil, waitError("pool "+name, err)
	}
	cat, err := s.openCatalog(name)
	if err != nil {
		lock.Unlock()
		return nil, err
	}
	p := &pool{sys: s, dm: c, cat: cat, lock: lock, thin: thinpool.New(c, partUUID(cat.Pool().UUID, partPool))}
	if p.halfMade() {
		if a == exclusive {
			err = p.clearHalfMade(ctx)
		}
		p.close()
		if err == nil {
			err = noPool(name)
		}
		return nil, err
	}
	return p, nil
}

// openActive opens the pool and sees to it that it is active, and that what a
// killed command left in it is finished.
func (s *System) openActive(ctx context.Context, c *dm.Control, name string, a access) (*pool, error) {
	if a == exclusive {
		p, err := s.openPool(ctx, c, name, exclusive)
		if err != nil {
			return nil, err
		}
		return p, p.closeOn(p.ready(ctx))
	}
	// Activating and finishing want the pool alone. Between the two locks it
	// may be deactivated again, hence the loop.
	for tended := false; ; tended = true {
		p, err := s.openPool(ctx, c, name, shared)
		if err != nil {
			return nil, err
		}
		live, err := p.live()
		if err != nil {
			return nil, p.closeOn(err)
		}
		if live && (tended || len(p.cat.Pool().Operations) == 0) {
			return p, nil
		}
		p.close()
		if err := s.tend(ctx, c, name, live); err != nil {
			return nil, err
		}
	}
}

// tend activates the pool and finishes, if that is possible, what is left in it.
// Where the pool is active and somebody at work on it, there is nothing to do.
func (s *System) tend(ctx context.Context, c *dm.Control, name string, live bool) error {
	if live {
		lock, err := s.refs().TryPoolLock(name, false)
		if err != nil {
			return nil
		}
		lock.Unlock()
	}
	p, err := s.openPool(ctx, c, name, exclusive)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.activate(ctx); err != nil {
		return err
	}
	return p.recoverIfPossible(ctx)
}

// ready activates the pool if need be, checks that it is the one that the
// catalog describes, and finishes what a killed command left.
func (p *pool) ready(ctx context.Context) error {
	if err := p.activate(ctx); err != nil {
		return err
	}
	return p.recover(ctx)
}

func (p *pool) close() { p.lock.Unlock() }

// closeOn closes the pool if err is an error, and returns err.
func (p *pool) closeOn(err error) error {
	if err != nil {
		p.close()
	}
	return err
}

func (p *pool) name() string { return p.cat.Pool().Name }
func (p *pool) uuid() string { return p.cat.Pool().UUID }

func (p *pool) ref(part string) dm.Ref { return dm.ByUUID(partUUID(p.uuid(), part)) }

// hasDevice says that the pool is active, in whatever state.
func (p *pool) hasDevice() bool {
	info, err := p.dm.Info(p.ref(partPool))
	return err == nil && info.Active()
}

// isActive says that the pool is active and can be asked.
func (p *pool) isActive() bool {
	live, err := p.live()
	return live && err == nil
}

// live tells whether the pool is active and can be asked. What is active and not
// this pool's is an error. Each device is asked once: every mount does it.
func (p *pool) live() (bool, error) {
	table, info, err := p.dm.Table(p.ref(partPool))
	sound := err == nil && info.Active() && !info.Suspended() && len(table) == 1 && table[0].Type == "thin-pool"
	for _, part := range []string{partData, partMeta} {
		table, info, err := p.dm.Table(p.ref(part))
		if err != nil || !info.Active() {
			continue
		}
		if other := copyBelow(p.cat.Pool(), part, table, info); other != nil {
			return false, other.err
		}
		sound = sound && !info.Suspended()
	}
	return sound, nil
}

// fail puts the pool's name before err.
func (p *pool) fail(err error) error {
	if err == nil {
		return nil
	}
	var named *Error
	if errors.As(err, &named) {
		return err
	}
	return &Error{Object: "pool " + p.name(), Err: err}
}

// openCatalog reads a pool's catalog and puts its errors into words.
func (s *System) openCatalog(name string) (*catalog.Catalog, error) {
	cat, err := s.catalogs().Open(name)
	switch {
	case err == nil:
		return cat, nil
	case errors.Is(err, catalog.ErrNoPool):
		if err := s.refuseRest(name, ErrNotFound); err != nil {
			return nil, err
		}
		if err := s.hidden(); err != nil {
			return nil, err
		}
		if m := s.catalogs().Misplaced(name); m != nil {
			return nil, &Error{Object: "pool " + name, Err: reason(ErrNotFound, "no such pool, but %s %w", m.Dir, m), Hint: Hint(misplaced(name, ErrNotFound, m))}
		}
		return nil, noPool(name)
	}
	var m *catalog.MisplacedError
	if errors.As(err, &m) {
		return nil, misplaced(name, ErrNotFound, m)
	}
	return nil, corrupt("pool "+name, err)
}

// refuseRest refuses a name whose folder holds what may be a pool, all but its
// pool.json.
func (s *System) refuseRest(name string, kind error) error {
	strays, err := s.catalogs().Strays()
	if err != nil {
		return &Error{Object: "pool " + name, Err: err}
	}
	for _, d := range strays {
		if d.Name == name && d.Holds != "" {
			return &Error{Object: "pool " + name, Err: reason(kind, "has no pool.json, but there is %s", d.Holds),
				Hint: "restore " + d.Path + "/pool.json from a backup, or move " + d.Path + " away"}
		}
	}
	return nil
}

// corrupt adds the way out to an error of reading state.
func corrupt(object string, err error) error {
	var c *catalog.CorruptError
	if errors.As(err, &c) {
		return &Error{Object: object, Err: err, Hint: "restore " + c.Path + " from a backup; nothing was changed"}
	}
	return &Error{Object: object, Err: err}
}

func noPool(name string) error {
	return &Error{Object: "pool " + name, Err: reason(ErrNotFound, "no such pool"), Hint: "thin-snap pool list, or make it: thin-snap pool create " + name}
}
