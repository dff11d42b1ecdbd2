package volumes

import (
	"context"
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// work is a command that changes the filesystem on a volume, mounted or not. It
// may sleep on the disk, or take long. So it gives the volume's lock back for
// that, and keeps the mount lock: meanwhile nobody mounts the volume for the
// first time, and nobody deletes or renames it, since its device is open.
type work struct {
	s    *host.System
	c    *dm.Control
	ref  *refcount.Ref
	turn *filelock.Lock
	rec  refcount.Record // as it was at the beginning
	v    catalog.Volume
}

// beginWork takes a volume's lock and its mount lock. It refuses a volume that
// is read-only, or on which another command works. The caller calls end.
func beginWork(
	ctx context.Context, s *host.System, c *dm.Control, volume spec.Volume,
) (w *work, err error) {
	ref, v, err := registry.LockKnown(ctx, s, volume)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			ref.Close()
		}
	}()
	if err := refuseReadOnly(v); err != nil {
		return nil, err
	}
	rec, err := registry.ReconcileOwn(s, c, ref, v)
	if err != nil {
		return nil, err
	}
	w = &work{s: s, c: c, ref: ref, rec: rec, v: v}
	return w, w.takeTurn()
}

// takeTurn takes the mount lock. The caller holds the volume's lock.
func (w *work) takeTurn() (err error) {
	w.turn, err = w.s.Refs().TryMountLock(w.v.Spec())
	if errors.Is(err, filelock.ErrLocked) {
		return registry.BeingMounted(w.v.Spec())
	}
	if err != nil {
		return &fault.Error{Object: w.v.Spec().String(), Err: err}
	}
	return nil
}

// activate makes the volume's device, or uses the one that is there, opens it,
// and gives the volume's lock back. It asks may before, with the pool open. The
// pool that it returns is closed. After an error the lock is still held.
func (w *work) activate(
	ctx context.Context, may func(*engine.Pool) error,
) (*engine.Pool, *engine.Activation, error) {
	p, err := engine.OpenActive(ctx, w.s, w.c, w.v.Pool, engine.Shared)
	if err != nil {
		return nil, nil, err
	}
	defer p.Close()
	if err := may(p); err != nil {
		return nil, nil, err
	}
	a, err := p.ActivateVolume(ctx, w.v, w.rec.Pinned)
	if err != nil {
		return nil, nil, err
	}
	w.unlock()
	return p, a, nil
}

// unlock gives the volume's lock back. The device is open.
func (w *work) unlock() { w.ref.Close() }

// lockAgain takes the volume's lock after unlock, and reads its record anew.
func (w *work) lockAgain(ctx context.Context) error {
	ref, v, err := registry.LockKnown(ctx, w.s, w.v.Spec())
	if err != nil {
		return err
	}
	w.ref, w.v = ref, v
	return nil
}

// end closes the device, or nil, removes it if nobody uses it, and gives the
// locks back. If another command has the volume's lock, it leaves the device:
// the kernel removes it at its last close.
func (w *work) end(ctx context.Context, a *engine.Activation) {
	defer w.turn.Unlock()
	w.ref.Close()
	if a == nil {
		return
	}
	a.Close()
	ref, err := w.s.Refs().TryLock(w.v.Spec())
	if err != nil {
		return
	}
	defer ref.Close()
	w.c.Forget()
	rec, err := registry.ReconcileOwn(w.s, w.c, ref, w.v)
	if err == nil && (rec.References > 0 || rec.Elsewhere || rec.Pinned) {
		return
	}
	if err == nil {
		wait, cancel := w.s.Waiting(context.WithoutCancel(ctx))
		defer cancel()
		err = engine.RemoveDevice(wait, w.s, w.c, w.v)
	}
	if err != nil {
		w.s.Warnf("%v", err)
	}
}
