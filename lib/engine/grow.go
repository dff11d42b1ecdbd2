package engine

import (
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/kmsg"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// UsableMetadata returns how much (bytes) of a pool's metadata the kernel uses:
// older versions of this program made pools with more.
func UsableMetadata(cfg catalog.Pool) int64 { return min(cfg.Metadata.Size, thinpool.MaxMetadata) }

// ApplySizes brings an active pool's devices to the sizes and settings of the
// catalog. To grow a pool or to change a setting, a command writes the catalog
// first: if it dies before it has changed the devices, the next command does
// so. ApplySizes grows the metadata before the data: a pool whose metadata is
// full could not take more data, and would need a check after the attempt. The
// caller holds the pool's lock exclusively.
func (p *Pool) ApplySizes() error {
	st, err := p.Target.Status()
	// The kernel does not grow a pool in these states. For the mark it says so
	// in its log, and resumes with the old size (drivers/md/dm-thin.c,
	// maybe_resize_data_dev).
	if err != nil || st.Failed() || st.NeedsCheck {
		return p.Wrap(err)
	}
	cfg := p.Catalog.Pool()
	grown, err := p.applyPartSize(dmname.Meta, cfg.Metadata)
	if err != nil {
		return p.Wrap(err)
	}
	if grown || int64(st.MetaTotal)*thinpool.MetadataBlock < UsableMetadata(cfg) {
		p.Sys.Stepf("growing the metadata of pool %s", p.Name())
		// The data keeps its size here: the kernel would grow both in one
		// resume, the data first (drivers/md/dm-thin.c, pool_preresume).
		if err := p.reloadPool(st.DataTotal); err != nil {
			return p.Wrap(err)
		}
	}
	// With more metadata a pool that had run out of it is writable again.
	if st, err = p.Target.Status(); err != nil || st.Writable() != nil {
		return p.Wrap(err)
	}
	return p.Wrap(p.applyDataSize(cfg, st))
}

// applyDataSize grows the data, and sets what the pool does when it is full. It
// looks at the live table, since the status does not show a setting that the
// kernel has overruled for a while (do_no_space_timeout).
func (p *Pool) applyDataSize(cfg catalog.Pool, st thinpool.Status) error {
	grown, err := p.applyPartSize(dmname.Data, cfg.Data)
	if err != nil {
		return err
	}
	targets, _, err := p.DM.Table(p.Ref(dmname.Pool))
	if err != nil {
		return err
	}
	live, err := thinpool.ParseTable(targets[0])
	if err != nil {
		return err
	}
	same := live.OnFull == cfg.OnFull
	if !grown && same && int64(st.DataTotal)*health.BlockBytes(cfg) >= cfg.Data.Size {
		return nil
	}
	p.Sys.Stepf("giving pool %s its new table", p.Name())
	return p.reloadPool(0)
}

// applyPartSize makes the linear device over a backing device as long as the
// catalog says, and returns true if it was shorter. A loop device takes the new
// size of its file first; a linear device over less than its table says would
// be refused (drivers/md/dm-table.c, device_area_is_invalid).
func (p *Pool) applyPartSize(part string, b catalog.Backing) (grown bool, err error) {
	targets, _, err := p.DM.Table(p.Ref(part))
	if err != nil {
		return false, err
	}
	have, want := dm.Sectors(0), dm.Sectors(b.Size/dm.SectorSize)
	for _, t := range targets {
		have += t.Length
	}
	// A pool is never made shorter: the kernel would refuse the resume and
	// leave it suspended.
	if have >= want {
		return false, nil
	}
	u, err := p.Under(part, b)
	if err != nil {
		return false, err
	}
	if err := u.Stretch(label.Reserved + b.Size); err != nil {
		return false, err
	}
	table := dm.Target{Length: want, Type: "linear", Params: fmt.Sprintf("%s %d", u.Dev, u.Offset)}
	return true, p.reload(dmname.PartUUID(p.UUID(), part), table, targets[0])
}

// reloadPool loads the table that the catalog describes into the pool's device.
// If blocks is not 0, the table has that many blocks of data. The table names
// the same two devices as before, which have grown below it: the kernel takes
// no others (drivers/md/dm-thin.c, __pool_find), and looks for more metadata
// and data at each resume (pool_preresume). I/O to the volumes waits for the
// moment of the swap: the kernel suspends them with the pool
// (drivers/md/dm-thin.c, pool_suspend_active_thins).
func (p *Pool) reloadPool(blocks uint64) error {
	cfg := p.Catalog.Pool()
	if blocks > 0 {
		cfg.Data.Size = int64(blocks) * health.BlockBytes(cfg)
	}
	data, err := p.DM.Info(p.Ref(dmname.Data))
	if err != nil {
		return err
	}
	meta, err := p.DM.Info(p.Ref(dmname.Meta))
	if err != nil {
		return err
	}
	old, _, err := p.DM.Table(p.Ref(dmname.Pool))
	if err != nil {
		return err
	}
	return p.reload(dmname.PartUUID(p.UUID(), dmname.Pool),
		poolTable(cfg, data.Dev, meta.Dev).Target(), old[0])
}

// reload replaces a device's table. One call of the kernel suspends the device,
// swaps the tables and resumes it (drivers/md/dm-ioctl.c, do_resume), so a kill
// at any moment does not leave the device suspended. The device keeps its
// number and its uuid, and its users notice a pause alone. If the kernel
// refuses the new table in that call, it does leave the device suspended:
// reload then puts the old table back.
func (p *Pool) reload(uuid string, table, old dm.Target) error {
	ref := dm.ByUUID(uuid)
	swap := func(t dm.Target) error {
		if err := p.DM.Load(ref, []dm.Target{t}, false); err != nil {
			return err
		}
		_, err := p.DM.Resume(ref, host.HiddenCookie)
		return err
	}
	err := kmsg.Explain("device-mapper:", func() error { return swap(table) })
	if err == nil {
		return nil
	}
	// A load that fails changes nothing, and the device runs on. After a resume
	// that fails every user of the device would wait for ever.
	if info, e := p.DM.Info(ref); e == nil && info.Suspended() {
		err = errors.Join(err, swap(old))
	}
	return err
}
