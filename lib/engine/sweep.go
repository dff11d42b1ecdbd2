package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// removeStaleAliases removes the links to devices that the kernel has removed
// by itself. It takes the lock of each volume, since a command that makes a
// device makes the link after it.
func (p *Pool) removeStaleAliases() {
	dir := filepath.Join(registry.AliasDir(p.Sys), p.Name())
	// This succeeds only if the folder is empty: the command that made it was
	// killed.
	os.Remove(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		volume := p.Volume(e.Name())
		// It is not ours: our aliases have the names of volumes.
		if spec.CheckVolumeName(volume.Name) != nil {
			continue
		}
		ref, err := p.Sys.Refs().TryLock(volume)
		if err != nil {
			continue // a command is at work on the volume
		}
		if _, err := p.DM.Info(
			dm.ByName(dmname.Volume(volume)),
		); errors.Is(err, dm.ErrNotExist) {
			registry.DropAlias(p.Sys, volume)
		}
		registry.Unlock(p.Sys, ref)
	}
}

// RemoveUnused removes devices, nodes, links and files of the pool that are not
// in use. The caller holds the pool's lock exclusively.
func (p *Pool) RemoveUnused(ctx context.Context) error {
	if err := p.removeUnusedDevices(ctx); err != nil {
		return err
	}
	if err := p.removeStaleFiles(ctx); err != nil {
		return err
	}
	// Without a mark the next command looks again.
	_ = p.Lock.Mark()
	return nil
}

// removeUnusedDevices removes the devices of volumes that are not in use, and
// resumes those that a killed snapshot left suspended. It leaves a volume whose
// lock is taken to the command that holds the lock. It keeps a volume that was
// activated on purpose. It waits for no lock: see docs/design.md, "Locks".
func (p *Pool) removeUnusedDevices(ctx context.Context) error {
	if err := p.dropPart(ctx, dmname.Head); err != nil {
		return p.Wrap(err)
	}
	active, err := p.activeVolumes()
	if err != nil {
		return err
	}
	for _, d := range active {
		volume, ok := dmname.ParseVolume(d.Name)
		if !ok || volume.Pool != p.Name() {
			continue
		}
		ref, err := p.Sys.Refs().TryLock(volume)
		if err != nil {
			continue
		}
		// One that fails does not keep the others, or the command's own work.
		err = p.removeUnusedDevice(ctx, ref, d.UUID)
		ref.Close()
		if err != nil {
			p.Sys.Warnf("%s: %v", d.Name, err)
		}
	}
	p.removeStaleAliases()
	return p.removeStaleNodes()
}

// removeStaleNodes removes the nodes of devices that the kernel removed by
// itself when no process was there to remove the node. Where udev keeps the
// nodes there are none.
func (p *Pool) removeStaleNodes() error {
	stale, err := p.DM.StaleNodes(dmname.Volume(p.Volume("")))
	if err != nil {
		return p.Wrap(err)
	}
	for _, name := range stale {
		volume, ok := dmname.ParseVolume(name)
		if !ok || spec.CheckVolumeName(volume.Name) != nil {
			continue
		}
		ref, err := p.Sys.Refs().TryLock(volume)
		if err != nil {
			continue // a command is making or removing that device
		}
		err = p.DM.DropStaleNode(name)
		registry.Unlock(p.Sys, ref)
		if err != nil {
			return p.Wrap(err)
		}
	}
	return nil
}

// removeUnusedDevice removes the device with that uuid, and the volume's record
// in ref, unless the device is open or was activated on purpose. It first
// resumes and thaws what a killed snapshot left. ref holds the volume's lock.
// The order matters: a process that has a suspended device open may be unable
// to close it.
func (p *Pool) removeUnusedDevice(
	ctx context.Context, ref *refcount.Ref, uuid string,
) error {
	info, err := p.DM.Info(dm.ByUUID(uuid))
	if err != nil {
		return nil // the kernel has removed it by itself
	}
	pool, name := ref.Volume().Pool, ref.Volume().Name
	if _, id, ok := dmname.ParseVolumeUUID(uuid); ok && (registry.IsSuspended(info) ||
		registry.IsMarked(p.Sys, catalog.Volume{Pool: pool, Name: name})) {
		if err := registry.ResumeAndThaw(p.Sys, p.DM,
			catalog.Volume{Pool: pool, Name: name, PoolUUID: p.UUID(), ID: id}); err != nil {
			return err
		}
	}
	if rec := ref.Record(); rec.Pinned && rec.PoolUUID == p.UUID() {
		return nil
	}
	// The open count may change at any moment. It is only asked so that no
	// time is lost: the kernel refuses to remove a device that is open.
	if info.OpenCount > 0 {
		return nil
	}
	p.Sys.Stepf("removing left device %s", info.Name)
	if _, err := removeOnce(ctx, p.DM, dm.ByUUID(uuid), lockedWait); err != nil {
		if IsBusy(err) {
			return nil // a process has opened it since
		}
		return err
	}
	// The record speaks of a device that is gone.
	return ref.Clear()
}
