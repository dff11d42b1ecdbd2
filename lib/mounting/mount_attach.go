package mounting

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/health"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// attach takes the volume's lock again, gives the mount its place, and records
// it. Meanwhile the device was open. So no other command has deleted or renamed
// the volume, and no other one mounts it without its mount lock.
func (m *mounting) attach(
	ctx context.Context, made *mount.Made, a *engine.Activation, rec refcount.Record,
	v catalog.Volume, fstype string,
) error {
	ref, err := m.lockAgain(ctx, v)
	if err != nil {
		return err
	}
	defer ref.Close()
	// Another command may have activated the volume on purpose meanwhile.
	rec.Pinned = ref.Record().Pinned
	res, err := made.Attach()
	if err != nil {
		ref.Close()
		return health.BlameMetadata(ctx, m.System, m.c, v, m.refused(a, v, fstype, err))
	}
	m.id = res.ID
	m.tellDiscard(res, v, fstype)
	top, err := m.made(v, a)
	if err != nil {
		return m.undone(err)
	}
	m.makeAlias(v, a)
	if err := m.saveRecord(ref, rec, v, a, top); err != nil {
		return m.undone(err)
	}
	m.addLines(ctx, v, top)
	if fstype != v.FS {
		m.rememberFS(ctx, v, fstype)
	}
	// Before the next command has the lock: it may be an unmount.
	made.Close()
	a.Close()
	return nil
}

// lockAgain takes the volume's lock after the kernel has read the disk. That
// may have taken longer than commands wait, and is no reason to give up. A
// signal is.
func (m *mounting) lockAgain(ctx context.Context, v catalog.Volume) (*refcount.Ref, error) {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		var cancel context.CancelFunc
		ctx, cancel = m.Undoing(ctx)
		defer cancel()
	}
	return registry.LockVolume(ctx, m.System, v.Spec())
}

// tellDiscard warns if the user asked for discard and the filesystem refused
// it.
func (m *mounting) tellDiscard(res mount.Result, v catalog.Volume, fstype string) {
	switch {
	case !res.DroppedDiscard:
	case m.options.Discard != nil:
		m.Warnf("%s: mounted without discard, which %s refuses here", v.Spec(), fstype)
	default:
		m.Stepf("mounted without discard, which %s refuses here", fstype)
	}
}
