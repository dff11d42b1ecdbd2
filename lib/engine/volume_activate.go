package engine

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// Activation is a volume's device that this process has open. Closing it may be
// the last close, at which the kernel removes a device that is not kept.
type Activation struct {
	*os.File
	Dev  dm.DevNo
	Path string // /dev/mapper/NAME
}

// ActivateVolume makes the volume's device, or uses the one that is there, and
// opens it. Unless keep is set, the kernel removes the device at its last
// close, also if this process is killed. The caller holds the volume's lock,
// has the pool open and active, and closes the Activation. ctx limits the
// attempts, and the waits for udev.
func (p *Pool) ActivateVolume(
	ctx context.Context, v catalog.Volume, keep bool,
) (*Activation, error) {
	return p.activateVolume(ctx, v, keep, false)
}

// ActivateAbsent is ActivateVolume for a caller that has found, under the
// volume's lock, that the volume has no device.
func (p *Pool) ActivateAbsent(
	ctx context.Context, v catalog.Volume, keep bool,
) (*Activation, error) {
	return p.activateVolume(ctx, v, keep, true)
}

// activateVolume does what ActivateVolume does. absent says that it need not
// ask first whether the volume has a device. If another program has made one
// meanwhile, it asks.
func (p *Pool) activateVolume(
	ctx context.Context, v catalog.Volume, keep, absent bool,
) (*Activation, error) {
	object := v.Spec().String()
	for {
		a, err := p.tryActivate(ctx, v, absent)
		if absent && errors.Is(err, dm.ErrExist) {
			absent = false
			continue
		}
		if err == nil {
			return a, p.scheduleRemoval(a, v, keep)
		}
		// The kernel removes the device at its last close, which may be while
		// we open it: the command finds no device (ENXIO), the open finds one
		// that is going (ENXIO; drivers/md/dm.c, dm_blk_open) or no disk any
		// more (ENODEV), or udev has removed the name (ENOENT).
		if !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV) &&
			!errors.Is(err, unix.ENOENT) {
			if st, e := p.Target.Status(); e == nil && st.Failed() {
				return nil, p.InState(st)
			}
			if thinpool.Damaged(err) {
				return nil, health.DamagedBy(p.Name(), err)
			}
			return nil, &fault.Error{Object: object, Err: err}
		}
		select {
		case <-ctx.Done():
			return nil, fault.WaitError(object, errors.Join(ctx.Err(), err))
		case <-time.After(5 * time.Millisecond):
		}
		// The memory may say that the device is there still.
		p.DM.Forget()
	}
}

// scheduleRemoval makes the kernel remove the device at its last close: our
// open file keeps it until then. If the device is to be kept, scheduleRemoval
// cancels an earlier order of that kind. Should the order fail, the device
// stays without an owner: the next command that has the pool alone removes it
// (removeUnusedDevices).
func (p *Pool) scheduleRemoval(a *Activation, v catalog.Volume, keep bool) error {
	ref := dmname.VolumeRef(p.UUID(), v.ID)
	var err error
	if !keep {
		err = p.DM.RemoveDeferred(ref)
	} else if info, e := p.DM.Info(ref); e == nil && info.DeferredRemove() {
		err = p.DM.CancelDeferredRemove(ref)
	}
	if err != nil {
		a.Close()
		return &fault.Error{Object: v.Spec().String(), Err: err}
	}
	return nil
}

// tryActivate makes the volume's device, or resumes the one that is there, and
// opens it. If the kernel removes the device at that moment, the error is
// ENXIO, ENODEV or ENOENT.
func (p *Pool) tryActivate(
	ctx context.Context, v catalog.Volume, absent bool,
) (*Activation, error) {
	name, ref := dmname.Volume(v.Spec()), dmname.VolumeRef(p.UUID(), v.ID)
	info, err := dm.Info{}, dm.ErrNotExist
	if !absent {
		info, err = p.DM.Info(ref)
	}
	// The steps have the numbers of the table "mount" in docs/crashes.md.
	// 2. the volume's device: create, load, resume, node
	// 2a. the names of removed devices
	switch {
	case err == nil && info.Name != name:
		return nil, backing.ForeignDevice(v.Spec().String(), info.Name, info.UUID)
	case err == nil && info.Active():
		if err = registry.ResumeAndThaw(p.Sys, p.DM, v); err == nil {
			err = p.DM.EnsureNode(info)
		}
		if err == nil {
			_, err = registry.DropStaleNames(p.Sys, p.DM, info)
		}
	// There is no device, or one without a live table: a killed activation left
	// that, and dm.Control.Activate takes it over.
	default:
		info, err = p.newDevice(ctx, name, v)
	}
	if err != nil {
		return nil, err
	}
	// 3. open; then scheduleRemoval
	return OpenActivation(p.DM.NodePath(name), info.Dev)
}

// newDevice makes the volume's device under the given dm name, and drops the
// names of removed devices that lead to it. If the pool is not active, or
// another device has the name, it returns an error. A volume that was deleted
// and made anew has another thin id, and so another uuid. The kernel reads the
// pool's metadata for the device: a damaged block shows here
// (thinpool.Damaged).
func (p *Pool) newDevice(ctx context.Context, name string, v catalog.Volume) (dm.Info, error) {
	pool, err := p.DM.Info(p.Ref(dmname.Pool))
	// Without the errno: ActivateVolume would try again.
	if errors.Is(err, dm.ErrNotExist) {
		return dm.Info{}, &fault.Error{
			Object: "pool " + p.Name(),
			Err:    fault.Errorf(fault.ErrPoolState, "not active"),
			Remedy: fault.ActivatePool{Pool: p.Name()},
		}
	}
	if err != nil {
		return dm.Info{}, err
	}
	p.Sys.Stepf("activating %s", v.Spec())
	info, err := makeDevice(ctx, p.Sys, p.DM, name, dmname.VolumeUUID(p.UUID(), v.ID),
		thinTarget(pool.Dev, v.ID, v.Size),
		dm.ActivateOptions{ReadOnly: v.ReadOnly, Cookie: host.VolumeCookie})
	if other, ok := errors.AsType[*dm.ForeignError](err); ok {
		err = backing.ForeignDevice(v.Spec().String(), name, other.UUID)
	}
	return info, err
}

// OpenActivation opens the node at path. It returns an error unless that is the
// device dev: a stale node of the same name must not lead to another device. It
// opens for reading, because a kernel may refuse to mount a device that is open
// for writing (block/bdev.c, bdev_allow_write_mounted).
func OpenActivation(path string, dev dm.DevNo) (*Activation, error) {
	return openAs(os.O_RDONLY, path, dev)
}

// ForWriting opens the device once more, for writing. While it is open, the
// device may not be mountable: see OpenActivation.
func (a *Activation) ForWriting() (*Activation, error) {
	return openAs(os.O_RDWR, a.Path, a.Dev)
}

// openAs opens the node at path with the given mode. If the node leads to
// another device than dev, the error is ENXIO. A path is looked up by name, and
// the name may be a stale one: so the number of what was opened decides.
func openAs(mode int, path string, dev dm.DevNo) (*Activation, error) {
	f, err := os.OpenFile(path, mode|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	got, err := backing.DeviceOf(f)
	if err == nil && got != dev {
		err = &os.PathError{Op: "open", Path: path, Err: unix.ENXIO}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Activation{File: f, Dev: dev, Path: path}, nil
}

// Activate makes the volume's device without mounting it, for mkfs, fsck or dd,
// and keeps it until Deactivate. It returns the path of the device node. The
// order is volume's lock, pool's lock, device, record, link: a kill between two
// of them leaves less than an activated volume, and never a record of a device
// that is not there.
func Activate(ctx context.Context, s *host.System, volume spec.Volume) (string, error) {
	ctx, cancel := s.Waiting(ctx)
	defer cancel()
	c, err := s.Kernel()
	if err != nil {
		return "", err
	}
	defer c.Close()
	ref, v, err := registry.LockKnown(ctx, s, volume)
	if err != nil {
		return "", err
	}
	defer ref.Close()
	rec, err := registry.ReconcileOwn(s, c, ref, v) // before this process opens it, too
	if err != nil {
		return "", err
	}
	p, err := OpenActive(ctx, s, c, volume.Pool, Shared)
	if err != nil {
		return "", err
	}
	defer p.Close()
	a, err := p.ActivateVolume(ctx, v, true)
	if err != nil {
		return "", err
	}
	defer a.Close()
	registry.FillRecord(&rec, v, a.Path, a.Dev)
	// A kill before the record is saved leaves a device that is not pinned, and
	// the next command that has the pool alone removes it.
	rec.Pinned = true
	return a.Path, errors.Join(ref.Save(rec), registry.MakeAlias(s, volume, a.Path))
}
