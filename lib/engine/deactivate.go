package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fuser"
	"thinmount/lib/health"
	"thinmount/lib/loop"
	"thinmount/lib/registry"
)

// Deactivate removes the pool's devices. It first removes volumes' devices and
// files that are not in use. If a volume is in use, the error is ErrBusy. The
// caller holds the pool's lock exclusively.
func (p *Pool) Deactivate(ctx context.Context) error {
	// Afterwards hardly a command looks at this pool before it is activated
	// again.
	p.thorough = true
	if other := backing.ActiveCopy(p.DM, p.Catalog.Pool()); !other.Disposable() {
		return other.Err
	}
	// The kernel suspends a device before it removes it (drivers/md/dm.c,
	// __dm_destroy), and a pool commits then (dm-thin.c, pool_postsuspend).
	// While a device below is suspended, that commit would hang.
	if err := health.ResumePool(p.Sys, p.DM, p.Name(), p.UUID()); err != nil {
		return err
	}
	// The pool's device stays open as long as one of a volume lies on it.
	if err := p.removeUnusedDevices(ctx); err != nil {
		return err
	}
	// At shutdown, for example, /var may be read-only by now.
	if err := p.removeStaleFiles(ctx); err != nil {
		p.Sys.Warnf("%v: it has to wait", err)
	}
	if err := p.refuseActive(ctx); err != nil {
		return err
	}
	return p.Wrap(p.Dismantle(ctx))
}

// refuseActive returns an error that names the active volumes, or nil if there
// are none. The kernel would refuse as well, since their tables hold the pool's
// device, but it does not say who.
func (p *Pool) refuseActive(ctx context.Context) error {
	p.DM.Forget() // the kernel removes devices by itself
	active, err := p.activeVolumes()
	if err != nil || len(active) == 0 {
		return err
	}
	var remedy fault.Remedy = fault.Sayf("unmount them first (umount DIR, or %v)",
		fault.DeactivateVolume{})
	var names []string
	for _, d := range active {
		volume, _ := dmname.ParseVolume(d.Name)
		uuid, id, _ := dmname.ParseVolumeUUID(d.UUID)
		where, there := p.whereUsed(ctx,
			catalog.Volume{Pool: p.Name(), Name: volume.Name, PoolUUID: uuid, ID: id})
		names = append(names, p.Volume(volume.Name).String()+where)
		if there != nil {
			remedy = there
		}
	}
	return &fault.Error{
		Object: "pool " + p.Name(),
		Err:    fault.Errorf(fault.ErrBusy, "in use by %s", strings.Join(names, ", ")),
		Remedy: remedy,
	}
}

// whereUsed says how an active volume is in use: " (mounted on DIR)", the
// processes that have its device open, or " (active)". It returns a remedy for
// a mount in another mount namespace and for an open device.
func (p *Pool) whereUsed(ctx context.Context, v catalog.Volume) (text string, remedy fault.Remedy) {
	// If the record is unreadable, the kernel's answer alone counts.
	rec, _ := p.Sys.Refs().Read(v.Spec())
	// A record may be older than what the kernel has.
	obs, _, err := registry.QueryKernel(p.DM, v, rec)
	if err != nil {
		return " (active)", nil
	}
	rec = rec.Reconcile(obs)
	if e := new(fault.Error); errors.As(registry.RefuseElsewhere(p.Sys, p.DM, rec, v), &e) {
		return fmt.Sprintf(" (%v)", e.Err), e.Remedy
	}
	if rec.MountedOn == "" {
		return p.whoHolds(ctx, v)
	}
	return fmt.Sprintf(" (mounted on %s)", rec.MountedOn), nil
}

// whoHolds does what whereUsed does, for a volume that is not mounted.
func (p *Pool) whoHolds(ctx context.Context, v catalog.Volume) (text string, remedy fault.Remedy) {
	info, err := p.DM.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	if err != nil || info.OpenCount == 0 {
		return " (active)", nil
	}
	found := DeviceHolders(ctx, info.Dev, "")
	if len(found) == 0 {
		return " (active, " + unseen + ")", unseenRemedy
	}
	return " (" + fuser.Line(found, MaxHolders) + ")", holdersRemedy(found)
}

// activeVolumes lists the dm devices of the pool's volumes. It does not wait
// for a device that the kernel is just removing: other functions do. Where the
// kernel lists uuids, that takes one call for any number of volumes.
func (p *Pool) activeVolumes() ([]dm.Device, error) {
	all, err := p.DM.List(dmname.UUIDPrefix + p.UUID() + "-")
	if err != nil {
		return nil, p.Wrap(err)
	}
	var volumes []dm.Device
	for _, d := range all {
		if _, _, ok := dmname.ParseVolumeUUID(d.UUID); ok {
			volumes = append(volumes, d)
		}
	}
	return volumes, nil
}

// Dismantle removes the pool's own devices from the top down, and waits until
// the kernel has detached the loop devices. Devices that are not there do not
// matter: the kernel removes the linear devices by itself after the pool's,
// since they have deferred removal, and may be ahead of this loop. ctx limits
// the waits. On error the devices that are left are those below the one that
// would not go.
func (p *Pool) Dismantle(ctx context.Context) error {
	// The kernel removes no device that a table has open: the order is that of
	// the stack.
	for _, part := range []string{dmname.Head, dmname.Pool, dmname.Data, dmname.Meta} {
		if err := p.dropPart(ctx, part); err != nil {
			return err
		}
	}
	cfg := p.Catalog.Pool()
	var errs []error
	for _, b := range []string{cfg.Data.Path, cfg.Metadata.Path} {
		if cfg.Data.Kind == catalog.KindFile {
			errs = append(errs, waitDetached(ctx, b))
		}
	}
	return errors.Join(errs...)
}

// waitDetached waits until no loop device has the file at path: the kernel
// detaches it a moment after its last close (drivers/block/loop.c, lo_release),
// and sends no event. Two loop devices over one file would each have a cache of
// their own. If the loop device will not detach by itself, the error is
// ErrBusy.
func waitDetached(ctx context.Context, path string) error {
	for {
		loops, err := loop.Find(path)
		if err != nil || len(loops) == 0 {
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return err
		}
		if !loops[0].Autoclear {
			return &fault.Error{
				Object: path,
				Err: fault.Errorf(fault.ErrBusy, "attached to %s by somebody else",
					loops[0].Path),
				Remedy: fault.Hint("losetup -d " + loops[0].Path),
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: still attached to %s: %w", path, loops[0].Path, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
