package mounting

import (
	"context"
	"fmt"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// Detached mounts a volume in no place, for a process that puts the mount into
// a mount namespace of its own. It writes no reference file, no line of utab
// and no alias: nobody else sees the mount, and whatever happens to that
// process, the kernel ends the mount with the namespace. Other commands find
// it as they find any mount in another namespace.
type Detached struct {
	m   *mounting
	v   catalog.Volume
	rec refcount.Record
	a   *engine.Activation

	kept  bool // the caller keeps the volume's lock
	begun bool // there may be a device to remove
}

// NewDetached reads the mount options. dir is where the mount is going to be.
func NewDetached(s *host.System, c *dm.Control, options, dir string) (*Detached, error) {
	o, err := mount.ParseOptions(options)
	if err == nil && o.Remount {
		err = fmt.Errorf("option remount: nothing is mounted yet")
	}
	if err != nil {
		return nil, fault.Wrap(fault.ErrUsage, err)
	}
	return &Detached{m: &mounting{System: s, c: c, options: o, dir: dir}}, nil
}

// Activate makes the volume's device in a pool that is open and active, or uses
// the one that is there. rec is what the kernel agrees with of the volume's
// references. The caller holds the volume's lock. If it keeps the lock until
// Undo, and the volume is new, kept is true. After Activate, also after an
// error of it, the caller calls Mount or Undo.
func (d *Detached) Activate(
	ctx context.Context, p *engine.Pool, rec refcount.Record, v catalog.Volume, kept bool,
) (err error) {
	d.m.request.Spec = v.Spec().String()
	if err := d.m.onlyRead(v); err != nil {
		return err
	}
	if err := d.m.checkPoolState(p, rec); err != nil {
		return err
	}
	d.v, d.rec, d.kept, d.begun = v, rec, kept, true
	activate := p.ActivateVolume
	if kept {
		activate = p.ActivateAbsent
	}
	d.a, err = activate(ctx, v, rec.Pinned)
	return err
}

// Mount mounts the device, and closes it: from then on the mount keeps it. The
// kernel reads the disk, which may not answer: for a volume that others may
// use, the caller holds its mount lock, and no other. After an error the device
// is gone, unless somebody else has it.
func (d *Detached) Mount(ctx context.Context) (*os.File, error) {
	f, err := d.mount(ctx)
	if err != nil {
		err = health.BlameMetadata(ctx, d.m.System, d.m.c, d.v, err)
		d.Undo(ctx)
	}
	d.close()
	return f, err
}

func (d *Detached) mount(ctx context.Context) (*os.File, error) {
	made, fstype, err := d.m.make(ctx, d.a, d.v)
	if err != nil {
		return nil, err
	}
	f, res, err := made.File()
	if err != nil {
		return nil, d.m.refused(d.a, d.v, fstype, err)
	}
	d.m.tellDiscard(res, d.v, fstype)
	return f, nil
}

// Device is the kernel's name of the device, for example dm-3.
func (d *Detached) Device() string { return fmt.Sprintf("dm-%d", d.a.Dev.Minor) }

// Undo removes the device, unless somebody else uses it.
func (d *Detached) Undo(ctx context.Context) {
	d.close()
	switch {
	case !d.begun:
	case d.kept:
		d.m.cleanUp(ctx, d.rec, d.v)
	default:
		d.m.cleanUpLocked(ctx, d.rec, d.v)
	}
}

// close closes the device. It may be called again.
func (d *Detached) close() {
	if d.a != nil {
		d.a.Close()
	}
}
