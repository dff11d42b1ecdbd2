package engine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/thinpool"
)

// Activate makes those of the pool's devices that are missing: loop devices,
// linear devices and the pool device. If that fails, it removes the pool's
// devices again. If the pool is active already, Activate resumes suspended
// devices and finishes a growth that was begun. The caller holds the pool's
// lock exclusively. ctx limits the waits for udev and for loop devices. The
// kernel's calls themselves end when its disks answer.
func (p *Pool) Activate(ctx context.Context) error {
	if err := p.RefuseCopy(); err != nil {
		return err
	}
	_, info, err := p.DM.Table(p.Ref(dmname.Pool)) // refreshActive looks at the table
	if err == nil && info.Active() {
		return p.refreshActive(info)
	}
	if err := p.checkName(dmname.Pool); err != nil {
		return err
	}
	if err := p.RefuseShared(); err != nil {
		return err
	}
	p.Sys.Stepf("activating pool %s", p.Name())
	// After a boot /run is empty: no lock file tells where a killed command has
	// left something, so that all volumes are looked at.
	p.thorough = true
	if err := p.Build(ctx, false); err != nil {
		// ctx may have ended, which is why the activation failed.
		undo, cancel := p.Sys.Undoing(ctx)
		defer cancel()
		p.Dismantle(undo)
		return p.Wrap(err)
	}
	return nil
}

// refreshActive resumes the suspended devices of an active pool, makes the
// pool's node if it is missing, and finishes a growth that was begun. If the
// growth fails, refreshActive only warns: the pool can be used as it is. A
// suspended device is what a killed command left, or a user: in both cases
// nothing in the pool works until it is resumed.
func (p *Pool) refreshActive(info dm.Info) error {
	if health.LostTable(p.DM, p.Ref(dmname.Pool)) {
		return health.BeyondHelp(p.Name())
	}
	// A command that was killed after the resume has not made it.
	if err := p.DM.EnsureNode(info); err != nil {
		return p.Wrap(err)
	}
	if err := health.ResumePool(p.Sys, p.DM, p.Name(), p.UUID()); err != nil {
		return err
	}
	if err := p.ApplySizes(); err != nil {
		p.Sys.Warnf("%v", err)
	}
	return nil
}

// checkName returns an error if a device with another uuid has the name of our
// part.
func (p *Pool) checkName(part string) error {
	name := dmname.Part(p.Name(), part)
	info, err := p.DM.Info(dm.ByName(name))
	if err != nil || info.UUID == dmname.PartUUID(p.UUID(), part) {
		return nil
	}
	return backing.ForeignDevice("pool "+p.Name(), name, info.UUID)
}

// Build makes the devices from the bottom up. fresh says that the kernel is to
// format the metadata. Otherwise Build first checks that the metadata is there:
// the kernel must not format it. The order of the two linear devices does not
// matter; the pool's table needs both. A kill before the last step leaves
// devices without users, which removeLeftDevices removes.
func (p *Pool) Build(ctx context.Context, fresh bool) error {
	if err := p.Sys.KernelHasThin(p.DM); err != nil {
		return err
	}
	cfg := p.Catalog.Pool()
	// The caller has just named the disks of a new pool.
	if !fresh {
		var err error
		if cfg, err = p.FindDisks(); err != nil {
			return err
		}
	}
	data, err := p.BuildPart(ctx, dmname.Data, cfg.Data)
	if err != nil {
		return err
	}
	meta, err := p.BuildPart(ctx, dmname.Meta, cfg.Metadata)
	if err != nil {
		return err
	}
	if !fresh {
		// This comes after the linear devices, since the metadata begins behind
		// the label. The kernel would format a first block of zeroes as soon as
		// it loads the pool's table (drivers/md/dm-thin-metadata.c,
		// __open_or_format_metadata).
		if err := p.checkSuperblock(cfg); err != nil {
			return err
		}
	}
	// The kernel has no second pool on one metadata device
	// (drivers/md/dm-thin.c, __pool_table_lookup_metadata_dev): that is EBUSY.
	// Over a copy of the metadata it would make one: RefuseCopy and the labels
	// keep that from happening.
	_, err = makeDevice(ctx, p.Sys, p.DM, dmname.Part(p.Name(), dmname.Pool),
		dmname.PartUUID(p.UUID(), dmname.Pool), poolTable(cfg, data, meta).Target(),
		dm.ActivateOptions{Cookie: host.HiddenCookie})
	if err != nil {
		return err
	}
	// The pool's table has the two linear devices open. From here on the kernel
	// removes them when the pool device is removed.
	return errors.Join(p.DM.RemoveDeferred(p.Ref(dmname.Data)),
		p.DM.RemoveDeferred(p.Ref(dmname.Meta)))
}

// poolTable returns the table of a pool. At the low water mark, a tenth of the
// data blocks, the kernel raises an event and does nothing else. A rest of less
// than one block at the end is not used: the kernel counts whole blocks
// (drivers/md/dm-thin.c, maybe_resize_data_dev).
func poolTable(cfg catalog.Pool, data, meta dm.DevNo) thinpool.Table {
	size := dm.Sectors(cfg.Data.Size / dm.SectorSize)
	return thinpool.Table{
		Metadata: meta, Data: data, Size: size, BlockSize: dm.Sectors(cfg.BlockSize),
		LowWater: uint64(size) / cfg.BlockSize / 10, OnFull: cfg.OnFull,
	}
}

// BuildPart makes the linear device over one backing device, behind its label.
// If a killed activation left the device, BuildPart uses that one. Nothing is
// written to the disk or file. udev is told not to probe the device
// (host.HiddenCookie).
func (p *Pool) BuildPart(ctx context.Context, part string, b catalog.Backing) (dm.DevNo, error) {
	info, err := p.DM.Info(p.Ref(part))
	if err == nil {
		left, err := p.adoptPart(ctx, part, info)
		if err != nil || left {
			return info.Dev, err
		}
	}
	if err := p.checkName(part); err != nil {
		return dm.DevNo{}, err
	}
	lower, release, err := openBacking(ctx, b)
	if err != nil {
		return dm.DevNo{}, p.backingError(part, b, err)
	}
	// The table that is loaded below keeps the device open from then on
	// (drivers/md/dm-table.c, dm_get_device).
	defer release()
	// A drive without a medium can be opened, and has no sectors.
	if dev, err := backing.DeviceOf(lower); err == nil && backing.IsEmpty(dev) {
		return dm.DevNo{}, p.backingError(part, b,
			&os.PathError{Op: "open", Path: b.Path, Err: unix.ENOMEDIUM})
	}
	if err := p.CheckLabel(lower, part, b); err != nil {
		return dm.DevNo{}, p.backingError(part, b, err)
	}
	dev, err := backing.DeviceOf(lower)
	if err != nil {
		return dm.DevNo{}, err
	}
	table := dm.Target{Length: dm.Sectors(b.Size / dm.SectorSize), Type: "linear",
		Params: fmt.Sprintf("%s %d", dev, label.Reserved/dm.SectorSize)}
	info, err = makeDevice(ctx, p.Sys, p.DM, dmname.Part(p.Name(), part),
		dmname.PartUUID(p.UUID(), part), table, dm.ActivateOptions{Cookie: host.HiddenCookie})
	return info.Dev, err
}

// adoptPart prepares the device of a part that a killed command left, and
// returns true if BuildPart can use it. It removes a device without an active
// table, and with it the loop device that the table to come holds: a loaded
// table has its devices open, live or not. It then returns false, and BuildPart
// makes the device anew.
func (p *Pool) adoptPart(ctx context.Context, part string, info dm.Info) (bool, error) {
	if !info.Active() {
		if err := p.DM.Deactivate(ctx, p.Ref(part)); err != nil {
			return false, err
		}
		return false, p.DM.WaitGone(ctx, p.Ref(part), info.Name)
	}
	if info.Suspended() {
		if _, err := p.DM.Resume(p.Ref(part), host.HiddenCookie); err != nil {
			return false, err
		}
	}
	return true, p.DM.EnsureNode(info)
}

// openBacking opens the block device for b: the disk itself, or a new loop
// device over the file, which the kernel detaches at its last close. The caller
// calls release when a table holds the device. The open is without O_EXCL: a
// table claims its devices for itself, and would be refused (drivers/md/dm.c,
// open_table_device). Direct I/O keeps a second copy of the data out of the
// page cache, where the filesystem below allows it.
func openBacking(ctx context.Context, b catalog.Backing) (f *os.File, release func(), err error) {
	if b.Kind == catalog.KindDevice {
		f, err = os.OpenFile(b.Path, os.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, nil, err
		}
		return f, func() { f.Close() }, nil
	}
	// The loop device of the last activation may still be going.
	if err := waitDetached(ctx, b.Path); err != nil {
		return nil, nil, err
	}
	l, err := loop.Attach(ctx, b.Path, loop.Options{Autoclear: true, DirectIO: true})
	if err != nil {
		return nil, nil, err
	}
	f, err = os.OpenFile(l.Path(), os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return f, func() { f.Close(); l.Close() }, nil
}

// CheckLabel returns an error unless the device carries the pool's label for
// part and is large enough.
func (p *Pool) CheckLabel(f *os.File, part string, b catalog.Backing) error {
	got, readErr := label.Read(f)
	carries := ""
	if readErr != nil {
		carries = backing.Carried(f)
	}
	size, err := loop.Size(f)
	if err != nil {
		return err
	}
	if e := backing.LabelFlaw(p.Catalog.Pool(), part, b, got, readErr, carries, size); e != nil {
		return e
	}
	return nil
}

// checkSuperblock returns an error if the metadata has been lost, so that the
// kernel does not format it, or if it does not fit the table for the kernel. No
// pool writes to the device yet, so that the page cache cannot be behind.
func (p *Pool) checkSuperblock(cfg catalog.Pool) error {
	f, err := os.OpenFile(p.DM.NodePath(dmname.Part(p.Name(), dmname.Meta)),
		os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return backing.CheckSuperblock(f, cfg)
}
