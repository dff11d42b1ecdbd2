package thin

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/thinpool"
)

// ActivatePool makes the pool's devices, as mounting one of its volumes does by
// itself. An active pool is left as it is.
func (s *System) ActivatePool(ctx context.Context, name string) error {
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := s.openActive(ctx, c, name, exclusive)
		if err != nil {
			return err
		}
		p.close()
		return nil
	})
}

// activate makes loop devices, linear devices and the pool device, as far as
// they are not there already. Exclusive access.
func (p *pool) activate(ctx context.Context) error {
	if err := p.refuseCopy(); err != nil {
		return err
	}
	info, err := p.dm.Info(p.ref(partPool))
	if err == nil && info.Active() {
		return p.mend(info)
	}
	if err := p.checkName(partPool); err != nil {
		return err
	}
	if err := p.refuseShared(); err != nil {
		return err
	}
	p.sys.step("activating pool %s", p.name())
	if err := p.build(ctx, false); err != nil {
		undo, cancel := p.sys.undoing(ctx)
		defer cancel()
		p.dismantle(undo)
		return p.fail(err)
	}
	return nil
}

// mend resumes what is suspended of an active pool, gives it the node that it
// may lack, and finishes its growing. That the latter fails keeps nobody from
// using the pool as it is.
func (p *pool) mend(info dm.Info) error {
	if foreign(p.dm, p.ref(partPool)) {
		return beyondHelp(p.name())
	}
	if err := p.dm.EnsureNode(info); err != nil {
		return p.fail(err)
	}
	if err := p.sys.wake(p.dm, p.name(), p.uuid()); err != nil {
		return err
	}
	if err := p.fit(); err != nil {
		p.sys.warn("%v", err)
	}
	return nil
}

// checkName refuses to go on where a device that is not ours has our name.
func (p *pool) checkName(part string) error {
	name := partName(p.name(), part)
	info, err := p.dm.Info(dm.ByName(name))
	if err != nil || info.UUID == partUUID(p.uuid(), part) {
		return nil
	}
	return foreignDevice("pool "+p.name(), name, info.UUID)
}

func foreignDevice(object, name, uuid string) error {
	return &Error{
		Object: object,
		Err:    reason(ErrExists, "a device-mapper device named %s exists that is not ours (uuid %q)", name, uuid),
		Hint:   "look at it with: dmsetup info " + name,
	}
}

// build makes the devices from the bottom up; fresh says that the metadata is
// to be formatted by the kernel, which otherwise must not happen.
func (p *pool) build(ctx context.Context, fresh bool) error {
	if err := p.sys.kernelHasThin(p.dm); err != nil {
		return err
	}
	cfg := p.cat.Pool()
	if !fresh {
		var err error
		if cfg, err = p.findDisks(); err != nil {
			return err
		}
	}
	data, err := p.buildPart(ctx, partData, cfg.Data)
	if err != nil {
		return err
	}
	meta, err := p.buildPart(ctx, partMeta, cfg.Metadata)
	if err != nil {
		return err
	}
	if !fresh {
		if err := p.checkSuperblock(cfg); err != nil {
			return err
		}
	}
	_, err = p.sys.makeDevice(ctx, p.dm, partName(p.name(), partPool), partUUID(p.uuid(), partPool), poolTable(cfg, data, meta).Target(), hiddenCookie)
	if err != nil {
		return err
	}
	// From here the kernel removes the two devices below when the pool goes.
	return errors.Join(p.dm.RemoveDeferred(p.ref(partData)), p.dm.RemoveDeferred(p.ref(partMeta)))
}

// poolTable is the table of a pool. Its low water mark only raises an event.
func poolTable(cfg catalog.Pool, data, meta dm.DevNo) thinpool.Table {
	size := dm.Sectors(cfg.Data.Size / dm.SectorSize)
	return thinpool.Table{
		Metadata: meta, Data: data, Size: size, BlockSize: dm.Sectors(cfg.BlockSize),
		LowWater:       uint64(size) / cfg.BlockSize / 10,
		ErrorIfNoSpace: cfg.OnFull != "queue",
	}
}

// buildPart makes the linear device over one backing device, past its label.
// What a killed activation left of it is taken over.
func (p *pool) buildPart(ctx context.Context, part string, b catalog.Backing) (dm.DevNo, error) {
	info, err := p.dm.Info(p.ref(part))
	if err == nil {
		left, err := p.takeOver(ctx, part, info)
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
	defer release()
	if dev, err := deviceOf(lower); err == nil && isEmpty(dev) {
		return dm.DevNo{}, p.backingError(part, b, &os.PathError{Op: "open", Path: b.Path, Err: unix.ENOMEDIUM})
	}
	if err := p.checkLabel(lower, part, b); err != nil {
		return dm.DevNo{}, p.backingError(part, b, err)
	}
	dev, err := deviceOf(lower)
	if err != nil {
		return dm.DevNo{}, err
	}
	table := dm.Target{Length: dm.Sectors(b.Size / dm.SectorSize), Type: "linear",
		Params: fmt.Sprintf("%s %d", dev, label.Reserved/dm.SectorSize)}
	info, err = p.sys.makeDevice(ctx, p.dm, partName(p.name(), part), partUUID(p.uuid(), part), table, hiddenCookie)
	return info.Dev, err
}

// takeOver makes good for use the device that a killed command left of a part.
// One that has no table yet goes, and with it the loop device that the table to
// come holds: then the answer is false.
func (p *pool) takeOver(ctx context.Context, part string, info dm.Info) (bool, error) {
	if !info.Active() {
		if err := p.dm.Deactivate(ctx, p.ref(part)); err != nil {
			return false, err
		}
		return false, p.dm.WaitGone(ctx, p.ref(part), info.Name)
	}
	if info.Suspended() {
		if _, err := p.dm.Resume(p.ref(part), hiddenCookie); err != nil {
			return false, err
		}
	}
	return true, p.dm.EnsureNode(info)
}

// openBacking opens the block device that carries b: itself, or a new loop
// device over the file, which detaches by itself at its last close. release
// closes what only had to stay open until a table holds it.
func openBacking(ctx context.Context, b catalog.Backing) (f *os.File, release func(), err error) {
	if b.Kind == catalog.KindDevice {
		f, err = os.OpenFile(b.Path, os.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, nil, err
		}
		return f, func() { f.Close() }, nil
	}
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

// checkLabel makes sure that the device is the pool's own and large enough.
func (p *pool) checkLabel(f *os.File, part string, b catalog.Backing) error {
	got, readErr := label.Read(f)
	carries := ""
	if readErr != nil {
		carries = carried(f)
	}
	size, err := loop.Size(f)
	if err != nil {
		return err
	}
	if e := labelFlaw(p.cat.Pool(), part, b, got, readErr, carries, size); e != nil {
		return e
	}
	return nil
}

// labelRole is the label's word for a part.
func labelRole(part string) string {
	if part == partMeta {
		return "metadata"
	}
	return part
}

// checkSuperblock keeps the kernel from formatting metadata that has been lost,
// and from a table that does not fit it.
func (p *pool) checkSuperblock(cfg catalog.Pool) error {
	f, err := os.OpenFile(p.dm.NodePath(partName(p.name(), partMeta)), os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return compareSuperblock(f, cfg)
}

func compareSuperblock(f *os.File, cfg catalog.Pool) error {
	sb, err := thinpool.ReadSuperblock(f)
	if err != nil {
		return &Error{Object: cfg.Metadata.Path, Err: wrap(ErrPoolState, err), Hint: "nothing was changed; restore the metadata from a backup"}
	}
	if uint64(sb.BlockSize) != cfg.BlockSize {
		return reason(ErrPoolState, "%s: metadata has blocks of %d sectors, the catalog says %d", cfg.Metadata.Path, sb.BlockSize, cfg.BlockSize)
	}
	if have := uint64(cfg.Data.Size/dm.SectorSize) / cfg.BlockSize; have < sb.DataBlocks {
		return reason(ErrPoolState, "%s: has %d blocks, the metadata speaks of %d", cfg.Data.Path, have, sb.DataBlocks)
	}
	if have := uint64(cfg.Metadata.Size) / thinpool.MetadataBlock; have < sb.MetadataBlocks {
		return reason(ErrPoolState, "%s: has %d blocks, the metadata itself speaks of %d", cfg.Metadata.Path, have, sb.MetadataBlocks)
	}
	if sb.NeedsCheck {
		return &Error{Object: cfg.Metadata.Path, Err: reason(ErrPoolState, "metadata needs a check"), Hint: repairCommand(cfg)}
	}
	return nil
}

// deviceOf is the number of an open block device.
func deviceOf(f *os.File) (dm.DevNo, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return dm.DevNo{}, &os.PathError{Op: "open", Path: f.Name(), Err: unix.ENOTBLK}
	}
	return dm.DevNoOf(uint64(st.Rdev)), nil
}
