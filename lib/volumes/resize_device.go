package volumes

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/kmsg"
	"thinmount/lib/loop"
	"thinmount/lib/thinpool"
)

// resizeDevice gives the device of a volume, if it has one, a table of size
// bytes. Users of the device notice a pause alone: one call of the kernel swaps
// the tables, so that a kill does not leave it suspended. If the kernel refuses
// the table in that call, the device gets its old one back. The caller holds
// the volume's lock and the pool's, exclusively, and has seen that nothing is
// written beyond the end of a shorter table.
func resizeDevice(p *engine.Pool, v catalog.Volume, size int64) error {
	ref := dm.ByUUID(dmname.VolumeUUID(p.UUID(), v.ID))
	old, info, err := p.DM.Table(ref)
	if errors.Is(err, dm.ErrNotExist) || err == nil && !info.Active() {
		return nil
	}
	if err != nil {
		return p.Wrap(err)
	}
	pool, err := p.DM.Info(p.Ref(dmname.Pool))
	if err != nil {
		return p.Wrap(err)
	}
	table := thinpool.Thin{Pool: pool.Dev, ID: v.ID, Size: dm.Sectors(size / dm.SectorSize)}
	if len(old) == 1 && old[0].Length == table.Size {
		return nil
	}
	p.Sys.Stepf("giving the device of %s its new size", v.Spec())
	swap := func(t dm.Target) error {
		if err := p.DM.Load(ref, []dm.Target{t}, v.ReadOnly); err != nil {
			return err
		}
		_, err := p.DM.Swap(ref, host.VolumeCookie)
		return err
	}
	err = kmsg.Explain("device-mapper:", func() error { return swap(table.Target()) })
	if err == nil {
		return nil
	}
	if info, e := p.DM.Info(ref); e == nil && info.Suspended() {
		err = errors.Join(err, swap(old[0]))
	}
	return p.Wrap(err)
}

// mappedEnd returns where the highest mapped block of an active volume ends
// (bytes).
func mappedEnd(p *engine.Pool, a *engine.Activation, v catalog.Volume) (int64, error) {
	if err := a.Sync(); err != nil {
		return 0, err
	}
	st, err := thinStatus(p, v)
	if err != nil || st.Highest == nil {
		return 0, err
	}
	return (*st.Highest + 1).Bytes(), nil
}

// discardFrom discards what an active volume has from a place on (bytes), which
// is the begin of a block.
func discardFrom(
	ctx context.Context, s *host.System, a *engine.Activation, v catalog.Volume, from int64,
) error {
	w, err := a.ForWriting()
	if err != nil {
		return err
	}
	defer w.Close()
	return loop.Discard(ctx, w.File, from, v.Size-from, func(done int64) {
		s.Progress("discarding "+v.Pool+"/"+v.Name, done, v.Size-from)
	})
}
