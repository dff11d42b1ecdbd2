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
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// Pool is an opened pool, with its catalog as it was read under the pool's
// lock.
type Pool struct {
	Sys     *host.System
	DM      *dm.Control // remembers the kernel's answers while the lock is held
	Catalog *catalog.Catalog
	Lock    *filelock.Lock // held until Close
	Target  *thinpool.Pool // the pool in the kernel

	thorough bool // look at all volumes for what a killed command has left
}

// access says how OpenPool takes the pool's lock.
type access int

const (
	// Many commands hold the lock with Shared at once: they activate and remove
	// volumes of an active pool.
	Shared access = iota
	// One command alone holds it with Exclusive: it may write pool.json and
	// send messages to the pool.
	Exclusive
)

// OpenPool locks the pool and reads its catalog. It does not activate the pool.
// For a pool that is half made or half deleted, the error is ErrNotFound; with
// Exclusive, OpenPool also removes what is left of it. OpenPool reads the
// catalog before it takes the lock, too, so that a mistyped name makes no lock
// file. The caller closes the Pool.
func OpenPool(
	ctx context.Context, s *host.System, c *dm.Control, name string, a access,
) (*Pool, error) {
	if err := known(s, name); err != nil {
		return nil, err
	}
	return openKnown(ctx, s, c, name, a)
}

// known returns an error if there is no such pool.
func known(s *host.System, name string) error {
	if err := spec.CheckPoolName(name); err != nil {
		return fault.Wrap(fault.ErrUsage, err)
	}
	_, err := registry.OpenCatalog(s, name)
	return err
}

// openKnown is OpenPool for a pool that existed a moment ago. It reads
// pool.json once, under the lock. Waiting for the lock ends with ctx, and the
// error then names the process that has it.
func openKnown(
	ctx context.Context, s *host.System, c *dm.Control, name string, a access,
) (*Pool, error) {
	done := s.WaitingFor("another command on pool " + name)
	lock, err := s.Refs().PoolLock(ctx, name, a == Shared)
	done()
	if err != nil {
		return nil, fault.WaitError("pool "+name, err)
	}
	cat, err := registry.ReadCatalog(s, name)
	if err != nil {
		lock.Unlock()
		return nil, err
	}
	// Under the lock no other command changes the pool's own devices, and those
	// of a volume only with the volume's lock. What the kernel removes by
	// itself, a caller asks for after Forget.
	c = c.Remember()
	p := &Pool{
		Sys:     s,
		DM:      c,
		Catalog: cat,
		Lock:    lock,
		Target:  thinpool.New(c, dmname.PartUUID(cat.Pool().UUID, dmname.Pool)),
	}
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

// OpenActive opens the pool, activates it if need be, and finishes or undoes
// what a killed command left in it. The caller has read the pool's catalog
// already. The Pool holds the lock that was asked for; with Shared, other
// commands hold it at the same time.
func OpenActive(
	ctx context.Context, s *host.System, c *dm.Control, name string, a access,
) (*Pool, error) {
	if a == Exclusive {
		p, err := openKnown(ctx, s, c, name, Exclusive)
		if err != nil {
			return nil, err
		}
		return p, p.closeOn(p.prepare(ctx))
	}
	// Activating and finishing need the pool's lock exclusively. Between the
	// two locks another command may deactivate the pool again, hence the loop.
	for prepared := false; ; prepared = true {
		p, err := openKnown(ctx, s, c, name, Shared)
		if err != nil {
			return nil, err
		}
		live, err := p.live()
		if err != nil {
			return nil, p.closeOn(err)
		}
		// What cannot be finished now stays, and does not prevent a mount:
		// hence prepared.
		if live && (prepared || len(p.Catalog.Pool().Interrupted()) == 0) {
			return p, nil
		}
		p.Close()
		if err := prepareShared(ctx, s, c, name, live); err != nil {
			return nil, err
		}
	}
}

// Alone opens a pool exclusively, calls do for one use case, and closes the
// pool. open is OpenPool or OpenActive. The context of do ends at the deadline
// of s.
func Alone(
	ctx context.Context, s *host.System, name string,
	open func(context.Context, *host.System, *dm.Control, string, access) (*Pool, error),
	do func(context.Context, *Pool) error,
) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		if err := known(s, name); err != nil {
			return err
		}
		p, err := open(ctx, s, c, name, Exclusive)
		if err != nil {
			return err
		}
		defer p.Close()
		return do(ctx, p)
	})
}

// prepareShared activates the pool for OpenActive with Shared, and finishes, if
// that is possible, what is left in it. It takes the pool's lock exclusively
// for this. If the pool is active (live) and another command has the lock, it
// does nothing. With a live pool the interrupted operations are not urgent, and
// the command that has the lock finishes them itself.
func prepareShared(
	ctx context.Context, s *host.System, c *dm.Control, name string, live bool,
) error {
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
// catalog describes, and finishes or undoes what a killed command left. The
// list costs one call, and saves one for each device that is not there.
func (p *Pool) prepare(ctx context.Context) error {
	// From here on the pool's DM knows which devices do not exist.
	if _, err := p.DM.List(""); err != nil {
		return p.Wrap(err)
	}
	if err := p.Activate(ctx); err != nil {
		return err
	}
	return p.Recover(ctx)
}

// Reopen opens a pool anew that the caller has closed. If nothing is to be done
// in it, it costs less than OpenActive: the pool was prepared a moment ago.
func (p *Pool) Reopen(ctx context.Context) (*Pool, error) {
	again, err := openKnown(ctx, p.Sys, p.DM, p.Name(), Exclusive)
	if err != nil {
		return nil, err
	}
	st, err := again.Target.Status()
	if cfg := again.Catalog.Pool(); err == nil && st.Writable() == nil &&
		cfg.UUID == p.UUID() && cfg.TransactionID == st.TransactionID {
		return again, again.closeOn(again.RefuseCopy())
	}
	return again, again.closeOn(again.prepare(ctx))
}

// Close releases the pool's lock. DM can still be used. Without the lock, other
// commands may change any device: nothing is answered from memory from then on.
func (p *Pool) Close() {
	p.DM.StopRemembering()
	p.Lock.Unlock()
}

// closeOn closes the pool if err is not nil, and returns err.
func (p *Pool) closeOn(err error) error {
	if err != nil {
		p.Close()
	}
	return err
}

// Name returns the pool's name.
func (p *Pool) Name() string { return p.Catalog.Pool().Name }

// Volume returns the full name of a volume of the pool.
func (p *Pool) Volume(name string) spec.Volume { return spec.Volume{Pool: p.Name(), Name: name} }

// UUID returns the pool's uuid, as the catalog has it.
func (p *Pool) UUID() string { return p.Catalog.Pool().UUID }

// Ref returns the reference by which package dm finds the device of a part.
func (p *Pool) Ref(part string) dm.Ref { return dm.ByUUID(dmname.PartUUID(p.UUID(), part)) }

// HasDevice reports whether the pool's device is active, in whatever state the
// pool is. It asks for the device alone, which answers also if the pool is
// suspended.
func (p *Pool) HasDevice() bool {
	info, err := p.DM.Info(p.Ref(dmname.Pool))
	return err == nil && info.Active()
}

// IsActive reports whether the pool is active and can be queried.
func (p *Pool) IsActive() bool {
	live, err := p.live()
	return live && err == nil
}

// live reports whether the pool is active and can be queried. It returns an
// error if the active devices belong to a copy of the pool. It queries each
// device only once, because every mount calls it. A suspended pool does not
// count, because a question about its metadata sleeps until it is resumed.
func (p *Pool) live() (bool, error) {
	table, info, err := p.DM.Table(p.Ref(dmname.Pool))
	sound := err == nil && info.Active() && !info.Suspended() && len(table) == 1 &&
		table[0].Type == "thin-pool"
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

// Wrap puts the pool's name before err, unless err is a *fault.Error or wraps
// one, which names an object already.
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
