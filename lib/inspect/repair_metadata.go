package inspect

import (
	"context"
	"errors"

	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/pools"
	"thinmount/lib/thincheck"
)

// checkMetadata runs thin_check(8) over all of a pool's metadata. If the
// metadata is sound, thin_check removes the mark that it needs a check.
// Afterwards the pool is active if it was active before. A pool that needs no
// check any more is not changed.
//
// The error is ErrBusy if a volume of the pool is in use. The deadline of s
// applies to the work on devices, and not to thin_check, which takes as long as
// it needs.
func checkMetadata(ctx context.Context, s *host.System, name string) error {
	return engine.Alone(ctx, s, name, engine.OpenPool,
		func(wait context.Context, p *engine.Pool) error {
			if !needsCheck(p) {
				return nil
			}
			if err := p.RefuseCopy(); err != nil {
				return err
			}
			active := p.HasDevice()
			if err := withMetadata(wait, p, func(device string) error {
				return thincheck.Clear(ctx, device)
			}); err != nil {
				return p.Wrap(explainDamage(p, err))
			}
			if !active {
				return nil
			}
			again, cancel := s.Waiting(ctx)
			defer cancel()
			return p.Activate(again)
		})
}

// needsCheck asks the kernel whether the metadata of an active pool needs a
// check. For an inactive pool it reads the metadata.
func needsCheck(p *engine.Pool) bool {
	if p.HasDevice() {
		st, err := p.Target.Status()
		return err == nil && (st.NeedsCheck || st.Failed())
	}
	var i pools.PoolInfo
	i.AskDisk(p.Catalog.Pool())
	return i.NeedsCheck
}

// withMetadata removes the pool's devices, makes the metadata device alone, and
// calls do with its path. It removes that device at the end, also if ctx has
// ended.
func withMetadata(ctx context.Context, p *engine.Pool, do func(device string) error) error {
	if err := p.Deactivate(ctx); err != nil {
		return err
	}
	cfg, err := p.FindDisks()
	if err != nil {
		return err
	}
	if _, err := p.BuildPart(ctx, dmname.Meta, cfg.Metadata); err != nil {
		return err
	}
	err = do(p.DM.NodePath(dmname.Part(p.Name(), dmname.Meta)))
	undo, cancel := p.Sys.Undoing(context.WithoutCancel(ctx))
	defer cancel()
	return errors.Join(err, p.Dismantle(undo))
}

// explainDamage adds to a thincheck.ErrDamaged what helps against it.
func explainDamage(p *engine.Pool, err error) error {
	if errors.Is(err, thincheck.ErrDamaged) {
		return &fault.Error{
			Object: "pool " + p.Name(),
			Err:    fault.Wrap(fault.ErrPoolState, err),
			Remedy: health.DamageRemedy(p.Catalog.Pool()),
		}
	}
	return err
}
