package thin

import (
	"context"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
)

// sweep removes what nobody uses: devices, nodes, files.
func (p *pool) sweep(ctx context.Context) error {
	if err := p.sweepDevices(ctx); err != nil {
		return err
	}
	return p.tidy(ctx)
}

// sweepDevices removes the devices of volumes that nobody uses and resumes those
// that a killed snapshot left suspended. A volume whose lock is taken is in good
// hands; one that was activated on purpose stays.
func (p *pool) sweepDevices(ctx context.Context) error {
	if err := p.dropPart(ctx, partHead); err != nil {
		return p.fail(err)
	}
	active, err := p.activeVolumes()
	if err != nil {
		return err
	}
	for _, d := range active {
		pool, volume, ok := splitVolumeName(d.Name)
		if !ok || pool != p.name() {
			continue
		}
		ref, err := p.sys.refs().TryLock(pool, volume)
		if err != nil {
			continue
		}
		err = p.sweepOne(ctx, ref, d.UUID, volume)
		ref.Close()
		if err != nil {
			p.sys.warn("%s: %v", d.Name, err)
		}
	}
	p.sweepAliases()
	return p.sweepNodes()
}

// sweepNodes removes the nodes of devices that the kernel has removed by itself
// when nobody was there to remove the node.
func (p *pool) sweepNodes() error {
	stale, err := p.dm.StaleNodes(volumeName(p.name(), ""))
	if err != nil {
		return p.fail(err)
	}
	for _, name := range stale {
		pool, volume, ok := splitVolumeName(name)
		if !ok || catalog.CheckVolumeName(volume) != nil {
			continue
		}
		ref, err := p.sys.refs().TryLock(pool, volume)
		if err != nil {
			continue // somebody is making or removing that very device
		}
		err = p.dm.DropStaleNode(name)
		p.sys.letGo(ref, pool, volume)
		if err != nil {
			return p.fail(err)
		}
	}
	return nil
}

func (p *pool) sweepOne(ctx context.Context, ref *refcount.Ref, uuid, volume string) error {
	info, err := p.dm.Info(dm.ByUUID(uuid))
	if err != nil {
		return nil // gone by itself
	}
	if _, id, ok := splitVolumeUUID(uuid); ok && (isAsleep(info) || p.sys.isMarked(catalog.Volume{Pool: p.name(), Name: volume})) {
		if err := p.sys.wakeVolume(p.dm, catalog.Volume{Pool: p.name(), Name: volume, PoolUUID: p.uuid(), ID: id}); err != nil {
			return err
		}
	}
	if rec := ref.Record(); rec.Held && rec.PoolUUID == p.uuid() {
		return nil
	}
	if info.OpenCount > 0 {
		return nil
	}
	p.sys.step("removing left device %s", info.Name)
	if _, err := removeOnce(ctx, p.dm, dm.ByUUID(uuid), lockedWait); err != nil {
		if isBusy(err) {
			return nil // somebody has opened it meanwhile
		}
		return err
	}
	return ref.Clear()
}
