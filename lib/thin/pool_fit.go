package thin

import (
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// blockBytes is the size (bytes) of a pool's block.
func blockBytes(cfg catalog.Pool) int64 { return int64(cfg.BlockSize) * dm.SectorSize }

// usableMetadata is how much (bytes) of a pool's metadata the kernel uses: older
// versions of this program made pools with more.
func usableMetadata(cfg catalog.Pool) int64 { return min(cfg.Metadata.Size, thinpool.MaxMetadata) }

// fit brings an active pool's devices in step with the catalog, which growing
// and setting write first: so whoever dies in between has it finished by the
// next command. Metadata goes before data: a pool whose metadata is full could
// not take more data, and would want a check for having tried. Exclusive access.
func (p *pool) fit() error {
	st, err := p.thin.Status()
	if err != nil || st.Failed() || st.NeedsCheck { // the kernel would grow nothing
		return p.fail(err)
	}
	cfg := p.cat.Pool()
	grown, err := p.fitPart(partMeta, cfg.Metadata)
	if err != nil {
		return p.fail(err)
	}
	if grown || int64(st.MetaTotal)*thinpool.MetadataBlock < usableMetadata(cfg) {
		p.sys.step("growing the metadata of pool %s", p.name())
		if err := p.reloadPool(st.DataTotal); err != nil {
			return p.fail(err)
		}
	}
	if st, err = p.thin.Status(); err != nil || st.Writable() != nil {
		return p.fail(err)
	}
	return p.fail(p.fitData(cfg, st))
}

// fitData grows the data, and sets what a full pool does.
func (p *pool) fitData(cfg catalog.Pool, st thinpool.Status) error {
	grown, err := p.fitPart(partData, cfg.Data)
	if err != nil {
		return err
	}
	targets, _, err := p.dm.Table(p.ref(partPool))
	if err != nil {
		return err
	}
	live, err := thinpool.ParseTable(targets[0])
	if err != nil {
		return err
	}
	same := live.ErrorIfNoSpace == (cfg.OnFull != "queue")
	if !grown && same && int64(st.DataTotal)*blockBytes(cfg) >= cfg.Data.Size {
		return nil
	}
	p.sys.step("giving pool %s its new table", p.name())
	return p.reloadPool(0)
}

// fitPart makes the linear device over a backing device as long as the catalog
// says. grown tells whether it was shorter.
func (p *pool) fitPart(part string, b catalog.Backing) (grown bool, err error) {
	targets, _, err := p.dm.Table(p.ref(part))
	if err != nil {
		return false, err
	}
	have, want := dm.Sectors(0), dm.Sectors(b.Size/dm.SectorSize)
	for _, t := range targets {
		have += t.Length
	}
	if have >= want {
		return false, nil
	}
	u, err := p.under(part, b)
	if err != nil {
		return false, err
	}
	if err := u.stretch(label.Reserved + b.Size); err != nil {
		return false, err
	}
	table := dm.Target{Length: want, Type: "linear", Params: fmt.Sprintf("%s %d", u.dev, u.offset)}
	return true, p.reload(partUUID(p.uuid(), part), table, targets[0])
}

// reloadPool gives the pool the table that the catalog wants, with blocks of
// data unless that is 0.
func (p *pool) reloadPool(blocks uint64) error {
	cfg := p.cat.Pool()
	if blocks > 0 {
		cfg.Data.Size = int64(blocks) * blockBytes(cfg)
	}
	data, err := p.dm.Info(p.ref(partData))
	if err != nil {
		return err
	}
	meta, err := p.dm.Info(p.ref(partMeta))
	if err != nil {
		return err
	}
	old, _, err := p.dm.Table(p.ref(partPool))
	if err != nil {
		return err
	}
	return p.reload(partUUID(p.uuid(), partPool), poolTable(cfg, data.Dev, meta.Dev).Target(), old[0])
}

// reload swaps a device's table in one call, at no point of which a kill leaves
// the device suspended. Where the kernel refuses the new table at the last
// moment it does leave it so: then the old one comes back.
func (p *pool) reload(uuid string, table, old dm.Target) error {
	ref := dm.ByUUID(uuid)
	swap := func(t dm.Target) error {
		if err := p.dm.Load(ref, []dm.Target{t}, false); err != nil {
			return err
		}
		_, err := p.dm.Resume(ref, hiddenCookie)
		return err
	}
	err := withKernelLog(func() error { return swap(table) })
	if err == nil {
		return nil
	}
	if info, e := p.dm.Info(ref); e == nil && info.Suspended() {
		err = errors.Join(err, swap(old))
	}
	return err
}
