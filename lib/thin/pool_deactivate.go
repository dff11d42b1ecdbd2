package thin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/holders"
	"thinmount/lib/loop"
)

// DeactivateOptions are the choices of DeactivatePool.
type DeactivateOptions struct {
	Unmount bool // unmount the volumes first, with all their references
}

// DeactivatePool removes the pool's devices and lets go of its disks or files.
// A pool with active volumes is ErrBusy.
func (s *System) DeactivatePool(ctx context.Context, name string, o DeactivateOptions) error {
	return s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		if cat, err := s.openCatalog(name); err == nil {
			if other := activeCopy(c, cat.Pool()); !other.disposable() {
				return other.inactive(s, name)
			}
		}
		if o.Unmount {
			if err := s.unmountAll(ctx, c, name); err != nil {
				return err
			}
		}
		p, err := s.openPool(ctx, c, name, exclusive)
		if err != nil {
			return err
		}
		defer p.close()
		return p.deactivate(ctx)
	})
}

// deactivate sweeps what nobody uses, refuses if a volume is in use, and takes
// the devices down. Exclusive access.
func (p *pool) deactivate(ctx context.Context) error {
	if other := activeCopy(p.dm, p.cat.Pool()); !other.disposable() {
		return other.err
	}
	if err := p.sys.wake(p.dm, p.name(), p.uuid()); err != nil { // the pool's last commit would hang
		return err
	}
	if err := p.sweepDevices(ctx); err != nil {
		return err
	}
	if err := p.tidy(ctx); err != nil { // at shutdown, say, where /var is read-only by now
		p.sys.warn("%v: it has to wait", err)
	}
	if err := p.refuseActive(ctx); err != nil {
		return err
	}
	return p.fail(p.dismantle(ctx))
}

// refuseActive says which volumes keep the pool busy.
func (p *pool) refuseActive(ctx context.Context) error {
	active, err := p.activeVolumes()
	if err != nil || len(active) == 0 {
		return err
	}
	hint := "unmount them first (umount DIR, or thin-snap deactivate POOL/VOLUME)"
	var names []string
	for _, d := range active {
		_, volume, _ := splitVolumeName(d.Name)
		uuid, id, _ := splitVolumeUUID(d.UUID)
		where, there := p.whereUsed(ctx, catalog.Volume{Pool: p.name(), Name: volume, PoolUUID: uuid, ID: id})
		names = append(names, p.name()+"/"+volume+where)
		if there != "" {
			hint = there
		}
	}
	return &Error{Object: "pool " + p.name(), Err: reason(ErrBusy, "in use by %s", strings.Join(names, ", ")), Hint: hint}
}

// whereUsed is " (mounted on DIR)", who has the device open, or " (active)". For a
// mount in another mount namespace, and for who has it open, there is a hint.
func (p *pool) whereUsed(ctx context.Context, v catalog.Volume) (text, hint string) {
	rec, _ := p.sys.refs().Read(v.Pool, v.Name) // unreadable: the kernel alone tells
	obs, _, err := observed(p.dm, v, rec)
	if err != nil {
		return " (active)", ""
	}
	rec = rec.Reconcile(obs)
	if e := new(Error); errors.As(p.sys.refuseElsewhere(p.dm, rec, v), &e) {
		return fmt.Sprintf(" (%v)", e.Err), e.Hint
	}
	if rec.MountedOn == "" {
		return p.whoHolds(ctx, v)
	}
	return fmt.Sprintf(" (mounted on %s)", rec.MountedOn), ""
}

// whoHolds is whereUsed of a volume that is not mounted.
func (p *pool) whoHolds(ctx context.Context, v catalog.Volume) (text, hint string) {
	info, err := p.dm.Info(volumeRef(v.PoolUUID, v.ID))
	if err != nil || info.OpenCount == 0 {
		return " (active)", ""
	}
	found := deviceHolders(ctx, info.Dev, "")
	if len(found) == 0 {
		return " (active, " + unseen + ")", unseenHint
	}
	return " (" + holders.Line(found, maxHolders) + ")", holdersHint(found)
}

// activeVolumes lists the dm devices of the pool's volumes. A device that goes
// away by itself in this moment is waited for elsewhere.
func (p *pool) activeVolumes() ([]dm.Device, error) {
	all, err := p.dm.List(uuidPrefix + p.uuid() + "-")
	if err != nil {
		return nil, p.fail(err)
	}
	var volumes []dm.Device
	for _, d := range all {
		if _, _, ok := splitVolumeUUID(d.UUID); ok {
			volumes = append(volumes, d)
		}
	}
	return volumes, nil
}

// dismantle removes the pool's own devices from the top down and waits until
// the loop devices are detached. What is not there is no error.
func (p *pool) dismantle(ctx context.Context) error {
	for _, part := range []string{partHead, partPool, partData, partMeta} {
		if err := p.dropPart(ctx, part); err != nil {
			return err
		}
	}
	cfg := p.cat.Pool()
	var errs []error
	for _, b := range []string{cfg.Data.Path, cfg.Metadata.Path} {
		if cfg.Data.Kind == catalog.KindFile {
			errs = append(errs, waitDetached(ctx, b))
		}
	}
	return errors.Join(errs...)
}

// waitDetached waits until no loop device has the file at path: the kernel
// detaches it a moment after its last close. Two over one file would each have
// a cache of its own.
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
			return &Error{Object: path, Err: reason(ErrBusy, "attached to %s by somebody else", loops[0].Path),
				Hint: "losetup -d " + loops[0].Path}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: still attached to %s: %w", path, loops[0].Path, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
