package thin

import (
	"context"
	"errors"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/thinpool"
)

// addVolume makes a thin device by send and gives it v's name, when what a dead
// command has left of that name is gone. The order of what goes to disk and to the
// kernel is that of docs/design.md, "create". A next operation other than "" stays
// behind for what is to be done with the volume before anybody may see it; force
// overrides the pool's margin. Exclusive access; the caller has v's lock.
func (p *pool) addVolume(ctx context.Context, v catalog.Volume, next string, force bool, send func(thinpool.ID) error) (catalog.Volume, error) {
	object := v.Pool + "/" + v.Name
	if err := p.finishOwn(ctx, v.Name); err != nil {
		return v, err
	}
	if _, err := p.cat.VolumeAnyState(v.Name); err == nil {
		return v, &Error{Object: object, Err: reason(ErrExists, "exists already"), Hint: "choose another name, or: thin-snap delete " + object}
	} else if !errors.Is(err, catalog.ErrNoVolume) {
		return v, corrupt(object, err)
	}
	if err := p.canGrow(force); err != nil {
		return v, err
	}
	op, err := p.begin(catalog.Operation{Op: catalog.OpCreate, Volume: v.Name})
	if err == nil {
		op, err = p.sendCreate(op, send)
	}
	if err == nil {
		v.ID, v.TransactionID = op.ID, op.TransactionID
		v.Created = time.Now().UTC().Truncate(time.Second)
		err = p.cat.PutVolume(v)
	}
	if err == nil {
		err = p.commit(op, next)
	}
	if err != nil {
		err = p.giveUp(ctx, p.explain(err))
		return v, &Error{Object: object, Err: err, Hint: Hint(err)}
	}
	return v, nil
}

// begin writes the intent and takes the next transaction id, which fails, with
// nothing changed, where anybody else has changed the pool.
func (p *pool) begin(op catalog.Operation) (catalog.Operation, error) {
	current := p.cat.Pool().TransactionID
	op.TransactionID = current + 1
	op, err := p.intend(op)
	if err != nil {
		return op, err
	}
	return op, p.thin.SetTransactionID(current, op.TransactionID)
}

// intend writes the intent; that of a create takes the next id.
func (p *pool) intend(op catalog.Operation) (catalog.Operation, error) {
	if op.Op == catalog.OpCreate {
		var err error
		if op.ID, err = p.nextID(op.ID); err != nil {
			return op, err
		}
	}
	return op, p.cat.SetPool(func(c *catalog.Pool) { c.Begin(op) })
}

// sendCreate sends until an id is free. The kernel holds ids that the catalog
// does not know where a pool was changed by hand.
func (p *pool) sendCreate(op catalog.Operation, send func(thinpool.ID) error) (catalog.Operation, error) {
	for {
		err := send(thinpool.ID(op.ID))
		if !errors.Is(err, thinpool.ErrIDExists) {
			if err == nil {
				err = p.thin.Confirm()
			}
			return op, err
		}
		p.sys.warn("pool %s: thin id %d is in use but has no name", p.name(), op.ID)
		if op, err = p.intend(op); err != nil {
			return op, err
		}
	}
}

// commit ends an operation that the kernel has done: from here it is true.
func (p *pool) commit(op catalog.Operation, next string) error {
	return p.cat.SetPool(func(c *catalog.Pool) {
		if next == "" {
			c.Finish(op.Volume)
			return
		}
		c.FinishInto(catalog.Operation{Op: next, Volume: op.Volume, ID: op.ID})
	})
}

// giveUp undoes what an operation that failed has begun and returns err. A write
// of pool.json that fails at its last sync leaves on disk what we do not go by:
// so what we do go by is written again before the kernel is told anything.
func (p *pool) giveUp(ctx context.Context, err error) error {
	if len(p.cat.Pool().Operations) == 0 {
		return err
	}
	undo, cancel := p.sys.undoing(ctx)
	defer cancel()
	e := p.cat.SetPool(func(*catalog.Pool) {})
	if e == nil {
		e = p.settle(undo)
	}
	if e != nil {
		p.sys.warn("pool %s: undoing will be tried again by the next command: %v", p.name(), e)
	}
	return err
}
