package engine

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/thinpool"
)

// CanGrow refuses what a pool in trouble could not finish, and, unless force is
// said, new volumes in a pool that comes near its end: what is there is still
// to be written to, and to be deleted.
func (p *Pool) CanGrow(force bool) error {
	st, err := p.CanWrite()
	if err != nil {
		return err
	}
	cfg := p.Catalog.Pool()
	if st.OutOfData() {
		return p.InState(st)
	}
	if below := health.BelowMargin(cfg, st); below != "" && !force {
		return &fault.Error{Object: "pool " + cfg.Name, Err: fault.Errorf(fault.ErrPoolState, "%s", below), Remedy: orForce(health.MarginRemedy(cfg, st))}
	}
	r := health.RoomBelow(cfg)
	if short := r.Short(cfg, st); short != "" && !force {
		return &fault.Error{Object: "pool " + cfg.Name, Err: fault.Errorf(fault.ErrPoolState, "%s", short), Remedy: orForce(r.Remedy())}
	}
	return nil
}

// orForce is the other way to a new volume.
func orForce(r fault.Remedy) fault.Remedy { return fault.Sayf("%v, or use %v", r, fault.OptionForce) }

// WarnOvercommitted tells whoever has made a volume of size bytes. It is for
// create alone: snapshots, which come by the hundred, share what they have.
func (p *Pool) WarnOvercommitted(size int64) {
	before := int64(0)
	if n, err := p.Catalog.Count(); err != nil {
		return // whoever looks at the volumes says so
	} else if n <= health.SummedVolumes {
		volumes, err := p.Catalog.VolumesAnyState()
		if err != nil {
			return
		}
		before = health.Provisioned(volumes) - size
	}
	st, err := p.Target.Status()
	if err != nil {
		return
	}
	cfg := p.Catalog.Pool()
	has := cfg.Data.Size
	if r := health.RoomBelow(cfg); r.Limits(cfg, st) {
		has = min(has, int64(st.DataUsed)*health.BlockBytes(cfg)+r.Left(cfg, st))
	}
	if said := health.Overcommitted(p.Name(), has, before, size); said != "" {
		p.Sys.Warnf("%s", said)
	}
}

// RanFull adds to the error of who has written to a volume that the pool has run
// full by it.
func (p *Pool) RanFull(err error) error {
	st, e := p.Target.Status()
	if e != nil {
		return err
	}
	cfg := p.Catalog.Pool()
	if !st.OutOfData() && health.RoomBelow(cfg).Full(cfg, st) == "" {
		return err
	}
	state := p.InState(st)
	return &fault.Error{Err: fault.Wrap(fault.ErrPoolState, fmt.Errorf("%w; by that the pool has run full: %w", err, state)), Remedy: host.RemedyOf(state)}
}

// InState is the error of a pool that is in no state for what is to be done.
func (p *Pool) InState(st thinpool.Status) error {
	state, remedy := health.Trouble(p.Catalog.Pool(), st, health.RoomBelow(p.Catalog.Pool()))
	return &fault.Error{Object: "pool " + p.Name(), Err: fault.Errorf(fault.ErrPoolState, "%s", state), Remedy: remedy}
}

// CanWrite refuses what the pool's mode would refuse half way.
func (p *Pool) CanWrite() (thinpool.Status, error) {
	st, err := p.Target.Status()
	if err != nil {
		return st, p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	if st.Writable() != nil {
		return st, p.InState(st)
	}
	return st, nil
}

// Explain adds to the error of a change the state in which the pool refused it,
// or into which it fell by it.
func (p *Pool) Explain(err error) error {
	for _, kind := range []error{fault.ErrPoolState, fault.ErrUsage, fault.ErrNotFound, fault.ErrExists, fault.ErrBusy, fault.ErrInterrupt, context.Canceled} {
		if err == nil || errors.Is(err, kind) {
			return err
		}
	}
	if thinpool.Damaged(err) {
		return health.DamagedBy(p.Name(), err)
	}
	st, e := p.Target.Status()
	if e == nil && st.Writable() != nil {
		state, remedy := health.Trouble(p.Catalog.Pool(), st, health.RoomBelow(p.Catalog.Pool()))
		return &fault.Error{Object: "pool " + p.Name(), Err: fault.Wrap(fault.ErrPoolState, fmt.Errorf("%s (%w)", state, err)), Remedy: remedy}
	}
	if errors.Is(err, thinpool.ErrReadOnly) || errors.Is(err, thinpool.ErrNotCommitted) {
		return fault.Wrap(fault.ErrPoolState, err)
	}
	return err
}
