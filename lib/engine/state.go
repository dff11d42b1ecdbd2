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

// CanGrow returns an error if the pool cannot take a new volume: it cannot be
// written, or is full. Unless force is set, it also returns an error if the
// pool, or the filesystem below its files, is nearly full: the room that is
// left is for writes to the volumes that exist, and for deleting them. Both are
// looked at before the intent is written. Another process may fill the pool in
// between: then the kernel refuses, or Confirm does.
func (p *Pool) CanGrow(force bool) error {
	st, err := p.CanWrite()
	if err != nil {
		return err
	}
	cfg := p.Catalog.Pool()
	// This holds with force, too: the kernel would take the volume, and each
	// write to it would fail or wait.
	if st.OutOfData() {
		return p.InState(st)
	}
	if below := health.BelowMargin(cfg, st); below != "" && !force {
		return &fault.Error{
			Object: "pool " + cfg.Name,
			Err:    fault.Errorf(fault.ErrPoolState, "%s", below),
			Remedy: orForce(health.MarginRemedy(cfg, st)),
		}
	}
	r := health.RoomBelow(cfg)
	if short := r.Short(cfg, st); short != "" && !force {
		return &fault.Error{
			Object: "pool " + cfg.Name,
			Err:    fault.Errorf(fault.ErrPoolState, "%s", short),
			Remedy: orForce(r.Remedy()),
		}
	}
	return nil
}

// orForce adds to a remedy that the option force helps, too.
func orForce(r fault.Remedy) fault.Remedy {
	return fault.Sayf("%v, or use %v", r, fault.OptionForce)
}

// WarnOvercommitted warns, after a volume of size bytes was made, if the
// volumes together can hold more than the pool. It is for create alone:
// snapshots are made by the hundred and share their blocks. In a pool of more
// than health.SummedVolumes volumes the new one alone counts.
func (p *Pool) WarnOvercommitted(size int64) {
	before := int64(0)
	if many, err := p.Catalog.HasMoreThan(health.SummedVolumes); err != nil {
		return // the next command that reads the volumes says so
	} else if !many {
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

// RanFull adds to err, the error of a write to a volume, that the write has
// filled the pool. If the pool is not full, it returns err. A pool that was
// filled may have room again when it is asked: then the error stays as it is.
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
	return &fault.Error{
		Err: fault.Wrap(fault.ErrPoolState,
			fmt.Errorf("%w; by that the pool has run full: %w", err, state)),
		Remedy: host.RemedyOf(state),
	}
}

// InState returns the error of a pool whose state does not allow a change.
func (p *Pool) InState(st thinpool.Status) error {
	state, remedy := health.Trouble(p.Catalog.Pool(), st, health.RoomBelow(p.Catalog.Pool()))
	return &fault.Error{
		Object: "pool " + p.Name(),
		Err:    fault.Errorf(fault.ErrPoolState, "%s", state),
		Remedy: remedy,
	}
}

// CanWrite returns the pool's status, and an error if the pool's mode would
// make a change fail half way. It is asked before anything is written, so that
// a refused change leaves no intent.
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

// Explain adds the pool's state to the error of a change: the pool was in that
// state when it refused the change, or the change put it into that state.
// Explain leaves an error alone that says by its kind why the change failed.
// The kernel's errno alone says little: EOPNOTSUPP, say, is all that a
// read-only pool answers.
func (p *Pool) Explain(err error) error {
	for _, kind := range []error{
		fault.ErrPoolState, fault.ErrUsage, fault.ErrNotFound, fault.ErrExists, fault.ErrBusy,
		fault.ErrInterrupt, context.Canceled,
	} {
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
		return &fault.Error{
			Object: "pool " + p.Name(),
			Err:    fault.Wrap(fault.ErrPoolState, fmt.Errorf("%s (%w)", state, err)),
			Remedy: remedy,
		}
	}
	if errors.Is(err, thinpool.ErrReadOnly) || errors.Is(err, thinpool.ErrNotCommitted) {
		return fault.Wrap(fault.ErrPoolState, err)
	}
	return err
}
