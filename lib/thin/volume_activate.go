package thin

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// activation is a volume's device, held open by us.
type activation struct {
	*os.File
	dev  dm.DevNo
	path string // /dev/mapper/NAME
}

// activateVolume makes the volume's device, or takes the one that is there,
// and opens it. Unless keep is set, the kernel removes the device at its last
// close, whatever becomes of us. The caller has the volume's lock and the pool
// open and active.
func (p *pool) activateVolume(ctx context.Context, v catalog.Volume, keep bool) (*activation, error) {
	object := v.Pool + "/" + v.Name
	for {
		a, err := p.tryActivate(ctx, v)
		if err == nil {
			return a, p.settleRemoval(a, v, keep)
		}
		// A device whose last user left in this moment goes while we open it.
		if !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.ENOENT) {
			if st, e := p.thin.Status(); e == nil && st.Failed() {
				return nil, p.inState(st)
			}
			if thinpool.Damaged(err) {
				return nil, damagedBy(p.name(), err)
			}
			return nil, &Error{Object: object, Err: err}
		}
		select {
		case <-ctx.Done():
			return nil, waitError(object, errors.Join(ctx.Err(), err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// settleRemoval sets the deferred removal while our descriptor keeps the
// device, or takes it back for a device that is to stay.
func (p *pool) settleRemoval(a *activation, v catalog.Volume, keep bool) error {
	ref := volumeRef(p.uuid(), v.ID)
	var err error
	if !keep {
		err = p.dm.RemoveDeferred(ref)
	} else if info, e := p.dm.Info(ref); e == nil && info.DeferredRemove() {
		err = p.dm.CancelDeferredRemove(ref)
	}
	if err != nil {
		a.Close()
		return &Error{Object: v.Pool + "/" + v.Name, Err: err}
	}
	return nil
}

func (p *pool) tryActivate(ctx context.Context, v catalog.Volume) (*activation, error) {
	name, ref := volumeName(v.Pool, v.Name), volumeRef(p.uuid(), v.ID)
	info, err := p.dm.Info(ref)
	switch {
	case err == nil && info.Name != name:
		return nil, foreignDevice(v.Pool+"/"+v.Name, info.Name, info.UUID)
	case err == nil && info.Active():
		if err = p.sys.wakeVolume(p.dm, v); err == nil {
			err = p.dm.EnsureNode(info)
		}
	default:
		info, err = p.newDevice(ctx, name, v)
	}
	if err != nil {
		return nil, err
	}
	if _, err := p.sys.dropStaleNames(p.dm, info); err != nil {
		return nil, err
	}
	return openActivation(p.dm.NodePath(name), info.Dev)
}

func (p *pool) newDevice(ctx context.Context, name string, v catalog.Volume) (dm.Info, error) {
	pool, err := p.dm.Info(p.ref(partPool))
	if errors.Is(err, dm.ErrNotExist) { // without the errno, at which activateVolume would try again
		return dm.Info{}, &Error{Object: "pool " + p.name(), Err: reason(ErrPoolState, "not active"), Hint: "thin-snap pool activate " + p.name()}
	}
	if err != nil {
		return dm.Info{}, err
	}
	if other, err := p.dm.Info(dm.ByName(name)); err == nil && other.UUID != volumeUUID(p.uuid(), v.ID) {
		return dm.Info{}, foreignDevice(v.Pool+"/"+v.Name, name, other.UUID)
	}
	p.sys.step("activating %s/%s", v.Pool, v.Name)
	return p.sys.makeDevice(ctx, p.dm, name, volumeUUID(p.uuid(), v.ID), thinTarget(pool.Dev, v.ID, v.Size), volumeCookie)
}

// openActivation opens the node and makes sure that it is the device meant: a
// stale node of the same name must not lead to another one. It is opened for
// reading: a kernel may refuse to mount what somebody has open for writing
// (block/bdev.c, bdev_allow_write_mounted).
func openActivation(path string, dev dm.DevNo) (*activation, error) {
	return openAs(os.O_RDONLY, path, dev)
}

// forWriting opens the device once more. It cannot be mounted meanwhile, see
// openActivation.
func (a *activation) forWriting() (*activation, error) {
	return openAs(os.O_RDWR, a.path, a.dev)
}

func openAs(mode int, path string, dev dm.DevNo) (*activation, error) {
	f, err := os.OpenFile(path, mode|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	got, err := deviceOf(f)
	if err == nil && got != dev {
		err = &os.PathError{Op: "open", Path: path, Err: unix.ENXIO}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &activation{File: f, dev: dev, path: path}, nil
}

// Activate makes the volume's device without mounting it, for mkfs, fsck or dd,
// and keeps it until Deactivate. It returns the device's path.
func (s *System) Activate(ctx context.Context, poolName, volume string) (string, error) {
	ctx, cancel := s.waiting(ctx)
	defer cancel()
	c, err := s.kernel()
	if err != nil {
		return "", err
	}
	defer c.Close()
	ref, v, err := s.lockKnown(ctx, poolName, volume)
	if err != nil {
		return "", err
	}
	defer ref.Close()
	rec, err := s.observeOwn(c, ref, v) // before we have it open ourselves
	if err != nil {
		return "", err
	}
	p, err := s.openActive(ctx, c, poolName, shared)
	if err != nil {
		return "", err
	}
	defer p.close()
	a, err := p.activateVolume(ctx, v, true)
	if err != nil {
		return "", err
	}
	defer a.Close()
	fillRecord(&rec, v, a.path, a.dev)
	rec.Held = true
	return a.path, errors.Join(ref.Save(rec), s.makeAlias(poolName, volume, a.path))
}
