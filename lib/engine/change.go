package engine

import (
	"context"
	"errors"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// AddVolume makes a thin device by send and gives it v's name, when what a dead
// command has left of that name is gone. The order of what goes to disk and to the
// kernel is that of docs/design.md, "create". A next operation other than "" stays
// behind for what is to be done with the volume before anybody may see it; force
// overrides the pool's margin. Exclusive access; the caller has v's lock.
func (p *Pool) AddVolume(ctx context.Context, v catalog.Volume, next string, force bool, send func(thinpool.ID) error) (catalog.Volume, error) {
	object := v.Pool + "/" + v.Name
	if err := p.finishDeadCommand(ctx, v.Name); err != nil {
		return v, err
	}
	if _, err := p.Catalog.VolumeAnyState(v.Name); err == nil {
		return v, &fault.Error{Object: object, Err: fault.Errorf(fault.ErrExists, "exists already"), Remedy: fault.Sayf("choose another name, or: %v", fault.DeleteVolume{Volume: object})}
	} else if !errors.Is(err, catalog.ErrNoVolume) {
		return v, registry.Corrupt(object, err)
	}
	if err := p.CanGrow(force); err != nil {
		return v, err
	}
	op, err := p.Begin(catalog.Intent{Op: catalog.OpCreate, Volume: v.Name})
	if err == nil {
		op, err = p.SendCreate(op, send)
	}
	if err == nil {
		v.ID, v.TransactionID = op.ID, op.TransactionID
		v.Created = time.Now().UTC().Truncate(time.Second)
		err = p.Catalog.PutVolume(v)
	}
	if err == nil {
		err = p.Commit(op, next)
	}
	if err != nil {
		err = p.Rollback(ctx, p.Explain(err))
		return v, &fault.Error{Object: object, Err: err, Remedy: host.RemedyOf(err)}
	}
	return v, nil
}

// Begin writes the intent and takes the next transaction id, which fails, with
// nothing changed, where anybody else has changed the pool.
func (p *Pool) Begin(op catalog.Intent) (catalog.Intent, error) {
	current := p.Catalog.Pool().TransactionID
	op.TransactionID = current + 1
	op, err := p.writeIntent(op)
	if err != nil {
		return op, err
	}
	return op, p.Target.SetTransactionID(current, op.TransactionID)
}

// writeIntent writes the intent; that of a create takes the next id.
func (p *Pool) writeIntent(op catalog.Intent) (catalog.Intent, error) {
	if op.Op == catalog.OpCreate {
		var err error
		if op.ID, err = p.nextID(op.ID); err != nil {
			return op, err
		}
	}
	return op, p.Catalog.SetPool(func(c *catalog.Pool) { c.BeginIntent(op) })
}

// SendCreate sends until an id is free. The kernel holds ids that the catalog
// does not know where a pool was changed by hand.
func (p *Pool) SendCreate(op catalog.Intent, send func(thinpool.ID) error) (catalog.Intent, error) {
	for {
		err := send(thinpool.ID(op.ID))
		if !errors.Is(err, thinpool.ErrIDExists) {
			if err == nil {
				err = p.Target.Confirm()
			}
			return op, err
		}
		p.Sys.Warnf("pool %s: thin id %d is in use but has no name", p.Name(), op.ID)
		if op, err = p.writeIntent(op); err != nil {
			return op, err
		}
	}
}

// Commit ends an operation that the kernel has done: from here it is true.
func (p *Pool) Commit(op catalog.Intent, next string) error {
	return p.Catalog.SetPool(func(c *catalog.Pool) {
		if next == "" {
			c.FinishIntent(op.Volume)
			return
		}
		c.AdvanceIntent(catalog.Intent{Op: next, Volume: op.Volume, ID: op.ID})
	})
}

// Rollback undoes what an operation that failed has begun and returns err. A write
// of pool.json that fails at its last sync leaves on disk what we do not go by:
// so what we do go by is written again before the kernel is told anything.
func (p *Pool) Rollback(ctx context.Context, err error) error {
	if len(p.Catalog.Pool().Intents) == 0 {
		return err
	}
	undo, cancel := p.Sys.Undoing(ctx)
	defer cancel()
	e := p.Catalog.SetPool(func(*catalog.Pool) {})
	if e == nil {
		e = p.replayIntent(undo)
	}
	if e != nil {
		p.Sys.Warnf("pool %s: undoing will be tried again by the next command: %v", p.Name(), e)
	}
	return err
}

// nextID is the thin id for a create that has found tried to be in use; 0 is none
// yet. As long as there are any, it is one that has never been used. Then those of
// volumes that were deleted come again: the transaction id at which each was made,
// which its record and the pool's metadata have, keeps the new one from being
// taken for the old one.
func (p *Pool) nextID(tried uint32) (uint32, error) {
	cfg := p.Catalog.Pool()
	if cfg.NextID <= thinpool.MaxID {
		return cfg.NextID, nil
	}
	volumes, err := p.Catalog.VolumesAnyState()
	if err != nil {
		return 0, registry.Corrupt("pool "+p.Name(), err) // a record that cannot be read has an id, too
	}
	id, ok := unusedID(cfg, volumes, tried)
	if !ok {
		return 0, &fault.Error{Object: "pool " + p.Name(), Err: fault.Errorf(fault.ErrPoolState, "all %d thin ids are in use", thinpool.MaxID),
			Remedy: fault.Sayf("delete volumes, or make another pool: %v", fault.CreatePool{})}
	}
	return id, nil
}

// unusedID is the lowest thin id beyond tried that nobody has. The last one, with
// which a search from the beginning follows, is none of them.
func unusedID(cfg catalog.Pool, volumes []catalog.Volume, tried uint32) (id uint32, ok bool) {
	taken := map[uint32]bool{}
	for _, v := range volumes {
		taken[v.ID] = true
	}
	for _, op := range cfg.Intents {
		taken[op.ID] = true
	}
	if cfg.Head != nil {
		taken[*cfg.Head] = true
	}
	if tried == thinpool.MaxID {
		tried = 0
	}
	for id = tried + 1; id < thinpool.MaxID; id++ {
		if !taken[id] {
			return id, true
		}
	}
	return 0, false
}
