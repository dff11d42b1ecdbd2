package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// AddOptions are the choices of a caller of AddVolume.
type AddOptions struct {
	// Next is the operation of an intent that AddVolume leaves. The intent
	// hides the volume until the caller has finished it.
	Next string
	// Then is the operation of an intent that takes the place of the create
	// without a write of its own (catalog.Intent.Then).
	Then string
	// Unsettled says that the thin device is complete only when send returns
	// nil, as the snapshot of an active origin is: a message that was killed
	// may have been carried out after the origin was resumed. Then recovery
	// does not finish what it finds, and deletes it.
	Unsettled bool
	Force     bool // override the pool's margin
}

// FreeName finishes what a dead command left under the name of a new volume,
// since its intent would hide the volume. If a volume has the name, it returns
// fault.ErrExists. The caller holds the pool's lock exclusively, and the lock
// of the name.
func (p *Pool) FreeName(ctx context.Context, name string) error {
	if err := p.finishDeadCommand(ctx, name); err != nil {
		return err
	}
	return registry.RefuseTaken(p.Catalog, p.Volume(name))
}

// AddVolume makes a thin device by calling send, gives it v's name, and returns
// v with its id, transaction id and time of creation. First it finishes what a
// dead command left under that name. The order of its writes and messages is
// that of docs/design.md, "create". On error AddVolume undoes what it has done.
// The caller holds the pool's lock exclusively, and v's lock.
func (p *Pool) AddVolume(
	ctx context.Context, v catalog.Volume, o AddOptions, send func(spec.ID) error,
) (catalog.Volume, error) {
	object := v.Spec().String()
	if err := p.FreeName(ctx, v.Name); err != nil {
		return v, err
	}
	if err := p.CanGrow(o.Force); err != nil {
		return v, err
	}
	// The record has whole seconds: what is returned is what a later command
	// reads.
	v.Created = time.Now().UTC().Truncate(time.Second)
	// An explicit intent does not end by the record alone: the volume is not
	// complete with it.
	op, err := p.Begin(catalog.Intent{
		Op: catalog.OpCreate, Volume: v.Name, Record: &v, Then: o.Then,
		Explicit: o.Next != "" || o.Unsettled})
	if err == nil {
		op, err = p.SendCreate(op, send)
	}
	if err == nil {
		err = p.Commit(op, o.Next)
	}
	if err != nil {
		err = p.Rollback(ctx, v.Name, p.Explain(err))
		return v, &fault.Error{Object: object, Err: err, Remedy: host.RemedyOf(err)}
	}
	v.ID, v.TransactionID = op.ID, op.TransactionID
	return v, nil
}

// Begin writes the intent and sets the next transaction id in the kernel. If
// another program has set the pool's transaction id meanwhile, that fails, and
// the kernel's pool is unchanged. The intent comes first: a crash between the
// two leaves an intent that is not at the kernel, as recovery sees by the
// transaction ids. In the other order it would leave a pool that is ahead of
// its catalog, as after a change by another program.
func (p *Pool) Begin(op catalog.Intent) (catalog.Intent, error) {
	current := p.Catalog.Pool().TransactionID
	op.TransactionID = current + 1
	op, err := p.writeIntent(op)
	if err != nil {
		return op, err
	}
	return op, p.Target.SetTransactionID(current, op.TransactionID)
}

// writeIntent writes the intent to the journal. It gives the intent of a
// create, and the record in it, the next thin id. The journal is synced when it
// returns, so that the id is never given out twice.
func (p *Pool) writeIntent(op catalog.Intent) (catalog.Intent, error) {
	if op.Op == catalog.OpCreate {
		var err error
		if op.ID, err = p.nextID(op.ID); err != nil {
			return op, err
		}
		if op.Record != nil {
			v := *op.Record
			v.ID, v.TransactionID = op.ID, op.TransactionID
			op.Record = &v
		}
	}
	return op, p.Catalog.SetPool(func(c *catalog.Pool) { c.BeginIntent(op) })
}

// SendCreate calls send with one thin id after the other until the kernel
// accepts one. If the pool was changed by hand, the kernel has ids that the
// catalog does not know. Each attempt writes the journal first, with the next
// id. So a crash leaves an intent for the last id that was tried, and never an
// id without an intent.
func (p *Pool) SendCreate(op catalog.Intent, send func(spec.ID) error) (catalog.Intent, error) {
	for {
		// A success is no commit yet (drivers/md/dm-thin.c, pool_message drops
		// the result of commit): Confirm asks the status.
		err := send(op.ID)
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

// Commit ends an intent that the kernel has carried out: from here on, the
// change is valid. If next is not "", an intent with that operation takes its
// place. After a crash before this write, the next command undoes or finishes
// the change by what the kernel has.
func (p *Pool) Commit(op catalog.Intent, next string) error {
	if next == "" {
		return p.Catalog.Finish(op.Volume)
	}
	return p.Catalog.Advance(op.Volume, next)
}

// Rollback undoes the create of a volume that has failed, and returns err. If a
// write of the journal fails at its last sync, the disk may have another state
// than this process goes by. So Rollback writes the journal before it sends the
// kernel a message. If it cannot undo the create, it warns, and the next
// command finishes or undoes it. It gets time of its own, because ctx may be
// why the create failed.
func (p *Pool) Rollback(ctx context.Context, volume string, err error) error {
	ops := p.Catalog.Pool().Intents
	i := slices.IndexFunc(ops, func(op catalog.Intent) bool { return op.Volume == volume })
	if i < 0 {
		return err
	}
	undo, cancel := p.Sys.Undoing(ctx)
	defer cancel()
	// An intent without this mark is done when the record's file is there; with
	// it, the create is undone by every process that finds it.
	ops[i].Explicit = true
	e := p.Catalog.SetPool(func(c *catalog.Pool) { c.Intents = ops })
	if e == nil {
		_, e = p.replayIntent(undo)
	}
	if e != nil {
		p.Sys.Warnf("pool %s: the next command will finish this: %v", p.Name(), e)
	}
	return err
}

// nextID returns the thin id for a create. tried is the id that this create has
// found in use, or 0. While there are ids that were never used, nextID returns
// one of them. After that it returns ids of deleted volumes. The transaction id
// at which a volume was made, which its record and the pool's metadata have,
// then tells the new volume from the deleted one.
func (p *Pool) nextID(tried spec.ID) (spec.ID, error) {
	cfg := p.Catalog.Pool()
	if cfg.NextID != 0 && cfg.NextID <= spec.MaxID {
		return cfg.NextID, nil
	}
	// All 16 million ids have been used once. From here on each create reads
	// every record.
	volumes, err := p.Catalog.VolumesAnyState()
	if err != nil {
		// A record that cannot be read has an id, too.
		return 0, registry.Corrupt("pool "+p.Name(), err)
	}
	id, ok := cfg.UnusedID(volumes, tried)
	if !ok {
		return 0, &fault.Error{
			Object: "pool " + p.Name(),
			Err:    fault.Errorf(fault.ErrPoolState, "all %d thin ids are in use", spec.MaxID),
			Remedy: fault.Sayf("delete volumes, or make another pool: %v", fault.CreatePool{}),
		}
	}
	return id, nil
}
