package mounting

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/fsprobe"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// MountRequest is what mount(8) hands to its helper (mount(8), EXTERNAL
// HELPERS).
type MountRequest struct {
	Spec    string // POOL/VOLUME, or another name of it (resolveSource)
	Dir     string
	Options string // as after -o
	FSType  string // "thin", or "thin.ext4" to skip probing; may be empty
	Fake    bool   // -f: check all, change nothing
	NoMtab  bool   // -n: leave utab alone
}

// Mount mounts a volume. If the volume is mounted on that path already, Mount
// counts one more reference instead. If it is mounted on another path, the
// error is ErrBusy. After an error nothing is mounted, active or counted that
// was not so before, except that a pool which Mount had to activate stays
// active.
func Mount(ctx context.Context, s *host.System, r MountRequest) error {
	ctx, cancel := s.Waiting(ctx)
	defer cancel()
	o, err := mount.ParseOptions(r.Options)
	if err != nil {
		return fault.Wrap(fault.ErrUsage, err)
	}
	c, err := s.Kernel()
	if o.User && errors.Is(err, fault.ErrPermission) {
		return &fault.Error{Err: fault.ErrPermission,
			Remedy: fault.Hint(
				"mount.thin is not setuid, so the option user is of no use: ask root")}
	}
	if err != nil {
		return err
	}
	defer c.Close()
	m := &mounting{System: s, c: c, request: r, options: o}
	defer m.mounts.Close()
	return m.unlessNofail(m.do(ctx))
}

// mounting is one call of Mount. It reads each file once before it takes the
// volume's lock, and once under the lock.
type mounting struct {
	*host.System
	c       *dm.Control
	mounts  mount.Mounts
	request MountRequest
	options mount.Options

	// Before the lock:
	dir   string
	line  int   // number of the line of fstab that asks for this mount; or 0
	loses error // the error if another line of fstab wins over that line

	// Under the lock:
	cat    *catalog.Catalog
	active bool         // the volume has a device already
	id     int          // ID of the new mount
	wayOut fault.Remedy // what helps if the kernel refuses the mount; or nil
}

// do finds the volume, and then looks at it under its lock.
func (m *mounting) do(ctx context.Context) error {
	// No lock is held yet. So a mistyped name makes no lock file, and a path
	// that other users control is followed without a lock.
	volume, err := m.find()
	if err != nil {
		return err
	}
	if m.dir, err = mount.OpenDir(m.request.Dir); err != nil {
		return dirError(m.request.Dir, err)
	}
	if m.dir == subdirTarget {
		m.request.NoMtab = true
	}
	if m.request.Fake {
		return nil
	}
	m.findLine(volume)
	for {
		again, err := m.once(ctx, volume)
		if !again || err != nil {
			return err
		}
	}
}

// once takes the volume's lock, looks at the volume, and decides which kind of
// mount this is. again says that another command was mounting the volume, and
// has ended.
func (m *mounting) once(ctx context.Context, volume spec.Volume) (again bool, err error) {
	ref, err := registry.LockVolume(ctx, m.System, volume)
	if err != nil {
		return false, err
	}
	defer ref.Close()
	rec, v, done, err := m.answer(ctx, ref, volume)
	if done || err != nil {
		return false, err
	}
	turn, err := m.Refs().TryMountLock(volume)
	if errors.Is(err, filelock.ErrLocked) {
		ref.Close()
		return true, m.waitForMount(ctx, volume)
	}
	if err != nil {
		return false, &fault.Error{Object: volume.String(), Err: err}
	}
	defer turn.Unlock()
	return false, m.mountFirst(ctx, ref, rec, v)
}

// waitForMount waits while another command mounts the volume.
func (m *mounting) waitForMount(ctx context.Context, volume spec.Volume) error {
	object := volume.String()
	defer m.WaitingFor("another mount of " + object)()
	turn, err := m.Refs().MountLock(ctx, volume)
	if err != nil {
		return fault.WaitError(object, err)
	}
	return turn.Unlock()
}

// answer looks at the volume under its lock. Unless the volume is to be mounted
// for the first time, answer does what was asked, and done is true.
func (m *mounting) answer(
	ctx context.Context, ref *refcount.Ref, volume spec.Volume,
) (rec refcount.Record, v catalog.Volume, done bool, err error) {
	m.cat, v, err = registry.Find(m.System, volume)
	if err != nil {
		return rec, v, false, err
	}
	m.active = false
	if err := m.onlyRead(v); err != nil {
		return rec, v, false, err
	}
	rec, err = registry.ReconcileIn(m.mounts.Now, m.System, m.c, ref, v, m.refuseCopy(v))
	if err == nil && rec.Elsewhere {
		done, err = m.answerForCopy(rec, v)
	}
	if done || err != nil {
		return rec, v, done, err
	}
	switch {
	case m.options.Remount:
		return rec, v, true, m.remount(rec, v)
	case m.loses != nil && (rec.References == 0 || rec.MountedOn != m.dir):
		return rec, v, true, m.skip(m.loses)
	case rec.References > 0:
		return rec, v, true, m.addReference(ctx, ref, rec)
	}
	return rec, v, false, nil
}

// refuseCopy returns what is asked if the volume is active: whether it is one
// of a copy of the pool. The first mount compares the disks or files of the
// catalog with those that the active pool lies on, and writes their numbers
// into the record. What a pool lies on does not change while it is active. So
// with such a record it is enough that the catalog leads to the same numbers.
func (m *mounting) refuseCopy(v catalog.Volume) registry.May {
	return func(info dm.Info, rec refcount.Record) error {
		m.active = true
		if rec.Below != "" && rec.Below == backing.Below(m.cat.Pool()) &&
			info.Name == dmname.Volume(v.Spec()) {
			return nil
		}
		return backing.RefuseCopy(m.c, m.cat.Pool())
	}
}

// mountFirst goes through the table "first mount" of docs/crashes.md. After an
// error it undoes the steps from 2 on. The caller holds the volume's lock, and
// its mount lock. mountFirst gives the volume's lock back while the kernel
// reads the disk, which may not answer.
func (m *mounting) mountFirst(
	ctx context.Context, ref *refcount.Ref, rec refcount.Record, v catalog.Volume,
) error {
	// Before OpenActive compares them: what takes their place later has other
	// numbers.
	rec.Below = backing.Below(m.cat.Pool())
	// 1. (inactive pool) loop devices, linear devices, the pool
	p, err := engine.OpenActive(ctx, m.System, m.c, v.Pool, engine.Shared)
	if err != nil {
		return err
	}
	if err := m.checkPoolState(p, rec); err != nil {
		p.Close()
		return err
	}
	// 2. the volume's device: create, load, resume, node
	// 2a. the names of removed devices
	// 3. open; deferred removal
	activate := p.ActivateAbsent
	if m.active {
		activate = p.ActivateVolume
	}
	a, err := activate(ctx, v, rec.Pinned)
	p.Close()
	if err != nil {
		m.cleanUp(ctx, rec, v)
		return err
	}
	ref.Close()
	// 4. fsopen … fsmount
	made, fstype, err := m.make(ctx, a, v)
	if err == nil {
		// 5. move_mount
		// 6. alias, record, two lines in utab
		err = m.attach(ctx, made, a, rec, v, fstype)
		made.Close()
	} else {
		err = health.BlameMetadata(ctx, m.System, m.c, v, err)
	}
	a.Close()
	if err != nil {
		m.cleanUpLocked(ctx, rec, v)
	}
	return err
}

// make makes the mount, which has no place yet. It returns the type of the
// filesystem. No lock is held.
func (m *mounting) make(
	ctx context.Context, a *engine.Activation, v catalog.Volume,
) (*mount.Made, string, error) {
	fstype, err := m.fstype(a, v)
	if err != nil {
		return nil, "", err
	}
	object := v.Spec().String()
	m.Stepf("mounting %s (%s) on %s", object, fstype, m.dir)
	defer m.WaitingFor(kernelsMount(object, fstype))()
	made, err := mount.Make(ctx,
		mount.Request{Source: a.Path, Target: m.dir, FSType: fstype, Options: m.options})
	if err != nil {
		return nil, "", m.refused(a, v, fstype, err)
	}
	return made, fstype, nil
}

// fstype returns the filesystem type with which the device is mounted: the type
// that the caller named, or else the type that the probe found. For btrfs it
// returns ErrBusy if the kernel would mix the device up with another one of the
// same fsid (mount.BtrfsConflict), and makes the kernel forget what had the
// device's number before.
func (m *mounting) fstype(a *engine.Activation, v catalog.Volume) (string, error) {
	_, named, _ := strings.Cut(m.request.FSType, ".")
	found, err := m.probe(a, v, named)
	if err != nil {
		return "", err
	}
	fstype := cmp.Or(named, found.Type)
	if fstype == "btrfs" {
		if err := mount.BtrfsConflict(found.UUID, a.Path); err != nil {
			return "", &fault.Error{Object: v.Spec().String(),
				Err: fault.Wrap(fault.ErrBusy, err)}
		}
		if err := dm.ForgetBtrfs(a.Path); err != nil {
			m.Stepf("%v", err) // it is mounted already
		}
	}
	return fstype, nil
}

// probe reads the filesystem's type from the device. If the caller names a
// type, probe returns that type and does not look at the device. For btrfs it
// looks nevertheless, to read the fsid.
func (m *mounting) probe(
	a *engine.Activation, v catalog.Volume, named string,
) (fsprobe.Result, error) {
	if named != "" && named != "btrfs" {
		return fsprobe.Result{Type: named}, nil
	}
	found, err := fsprobe.Probe(a, v.Size)
	switch {
	case err == nil:
		return found, nil
	case errors.Is(err, fsprobe.ErrNone):
		return found, &fault.Error{Object: v.Spec().String(), Err: err,
			Remedy: fault.Sayf("if it is new: %v", fault.FormatVolume{Volume: v.Spec()})}
	}
	return found, m.unprobed(v.Spec(), err)
}
