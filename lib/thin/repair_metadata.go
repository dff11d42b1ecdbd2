package thin

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/label"
	"thinmount/lib/thincheck"
)

// checkMetadata has thin_check(8) look at all of a pool's metadata, which takes
// off the mark that it needs a check, and leaves the pool as it found it: active,
// if it was. A pool with volumes in use is ErrBusy; one that needs no check any
// more is left alone. The deadline is for the devices: the check takes as long as
// it does.
func (s *System) checkMetadata(ctx context.Context, name string) error {
	c, err := s.kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	wait, cancel := s.waiting(ctx)
	defer cancel()
	p, err := s.openPool(wait, c, name, exclusive)
	if err != nil {
		return err
	}
	defer p.close()
	if !p.needsCheck() {
		return nil
	}
	if err := p.refuseCopy(); err != nil {
		return err
	}
	active := p.hasDevice()
	if err := p.withMetadata(wait, func(device string) error {
		s.step("checking the metadata of pool %s", name)
		return thincheck.Clear(ctx, device)
	}); err != nil {
		return p.fail(p.explainDamage(err))
	}
	if !active {
		return nil
	}
	again, cancel := s.waiting(ctx)
	defer cancel()
	return p.activate(again)
}

// needsCheck asks the kernel, or the disk of a pool that is not active.
func (p *pool) needsCheck() bool {
	if p.hasDevice() {
		st, err := p.thin.Status()
		return err == nil && (st.NeedsCheck || st.Failed())
	}
	var i PoolInfo
	i.askDisk(p.cat.Pool())
	return i.NeedsCheck
}

// withMetadata takes the pool down, and lets do work on the device of its
// metadata alone.
func (p *pool) withMetadata(ctx context.Context, do func(device string) error) error {
	if err := p.deactivate(ctx); err != nil {
		return err
	}
	cfg, err := p.findDisks()
	if err != nil {
		return err
	}
	if _, err := p.buildPart(ctx, partMeta, cfg.Metadata); err != nil {
		return err
	}
	err = do(p.dm.NodePath(partName(p.name(), partMeta)))
	undo, cancel := p.sys.undoing(context.WithoutCancel(ctx))
	defer cancel()
	return errors.Join(err, p.dismantle(undo))
}

// explainDamage says what to do about metadata that is not sound.
func (p *pool) explainDamage(err error) error {
	if errors.Is(err, thincheck.ErrDamaged) {
		return &Error{Object: "pool " + p.name(), Err: wrap(ErrPoolState, err), Hint: damageHint(p.cat.Pool())}
	}
	return err
}

// damageHint is how somebody saves what can be saved of damaged metadata. What
// lies behind the label is made a device of its own, since the programs take no
// offset. The damaged metadata is kept in a file; files lie in /var/tmp, since the
// programs read past the page cache, which a tmpfs cannot.
func damageHint(cfg catalog.Pool) string {
	return fmt.Sprintf("thin-snap pool deactivate %s && dev=$(losetup --find --show --offset %d --sizelimit %d %s) && dd if=$dev of=/var/tmp/%[1]s.damaged bs=1M conv=sparse && "+
		"truncate -s %[3]d /var/tmp/%[1]s.repaired && thin_repair -i $dev -o /var/tmp/%[1]s.repaired && dd if=/var/tmp/%[1]s.repaired of=$dev bs=1M conv=fsync; "+
		"losetup --detach $dev; thin-snap pool check --repair %[1]s", cfg.Name, label.Reserved, cfg.Metadata.Size, shellPath(cfg.Metadata.Path))
}
