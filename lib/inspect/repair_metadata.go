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

// checkMetadata has thin_check(8) look at all of a pool's metadata, which takes
// off the mark that it needs a check, and leaves the pool as it found it: active,
// if it was. A pool with volumes in use is ErrBusy; one that needs no check any
// more is left alone. The deadline is for the devices: the check takes as long as
// it does.
func checkMetadata(ctx context.Context, s *host.System, name string) error {
	c, err := s.Kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	wait, cancel := s.Waiting(ctx)
	defer cancel()
	p, err := engine.OpenPool(wait, s, c, name, engine.Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	if !needsCheck(p) {
		return nil
	}
	if err := p.RefuseCopy(); err != nil {
		return err
	}
	active := p.HasDevice()
	if err := withMetadata(wait, p, func(device string) error {
		s.Stepf("checking the metadata of pool %s", name)
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
}

// needsCheck asks the kernel, or the disk of a pool that is not active.
func needsCheck(p *engine.Pool) bool {
	if p.HasDevice() {
		st, err := p.Target.Status()
		return err == nil && (st.NeedsCheck || st.Failed())
	}
	var i pools.PoolInfo
	i.AskDisk(p.Catalog.Pool())
	return i.NeedsCheck
}

// withMetadata takes the pool down, and lets do work on the device of its
// metadata alone.
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

// explainDamage says what to do about metadata that is not sound.
func explainDamage(p *engine.Pool, err error) error {
	if errors.Is(err, thincheck.ErrDamaged) {
		return &fault.Error{Object: "pool " + p.Name(), Err: fault.Wrap(fault.ErrPoolState, err), Remedy: health.DamageRemedy(p.Catalog.Pool())}
	}
	return err
}
