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
	"thinmount/lib/fsprobe"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
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

// do finds the volume, takes its lock, looks again, and decides which kind of
// mount this is.
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

	ref, err := registry.LockVolume(ctx, m.System, volume)
	if err != nil {
		return err
	}
	defer ref.Close()
	cat, v, err := registry.Find(m.System, volume)
	if err != nil {
		return err
	}
	m.cat = cat
	rec, err := registry.ReconcileIn(m.mounts.Now, m.System, m.c, ref, v, m.refuseCopy(v))
	if err != nil {
		return err
	}
	if rec.Elsewhere {
		if done, err := m.answerForCopy(rec, v); done || err != nil {
			return err
		}
	}
	switch {
	case m.options.Remount:
		return m.remount(rec, v)
	case m.loses != nil && (rec.References == 0 || rec.MountedOn != m.dir):
		return m.skip(m.loses)
	case rec.References > 0:
		return m.addReference(ctx, ref, rec)
	}
	fstype, err := m.mountFirst(ctx, ref, rec, v)
	if err == nil && fstype != v.FS {
		m.rememberFS(ctx, v, fstype)
	}
	return err
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
// error it undoes the steps from 2 on. It returns the type of the filesystem.
// The caller holds the volume's lock.
func (m *mounting) mountFirst(
	ctx context.Context, ref *refcount.Ref, rec refcount.Record, v catalog.Volume,
) (fstype string, err error) {
	// Before OpenActive compares them: what takes their place later has other
	// numbers.
	rec.Below = backing.Below(m.cat.Pool())
	// 1. (inactive pool) loop devices, linear devices, the pool
	p, err := engine.OpenActive(ctx, m.System, m.c, v.Pool, engine.Shared)
	if err != nil {
		return "", err
	}
	if err := m.checkPoolState(p, rec); err != nil {
		p.Close()
		return "", err
	}
	defer func() {
		if err != nil {
			m.cleanUp(ctx, rec, v)
		}
	}()
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
		return "", err
	}
	defer a.Close()
	if fstype, err = m.fstype(a, v); err == nil {
		// 4. fsopen … fsmount
		// 5. move_mount
		err = m.attach(ctx, a, v, fstype)
	}
	if err != nil {
		return "", health.BlameMetadata(ctx, m.System, m.c, v, err)
	}
	top, err := m.made(v, a)
	if err != nil {
		return "", m.undone(err)
	}
	// 6. alias, record, two lines in utab
	m.makeAlias(v, a)
	if err := m.saveRecord(ref, rec, v, a, top); err != nil {
		return "", m.undone(err)
	}
	m.addLines(ctx, v, top)
	return fstype, nil
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

// attach mounts the device on m.dir and sets m.id. It warns if the user asked
// for discard and the filesystem refused it.
func (m *mounting) attach(
	ctx context.Context, a *engine.Activation, v catalog.Volume, fstype string,
) error {
	object := v.Spec().String()
	m.Stepf("mounting %s (%s) on %s", object, fstype, m.dir)
	defer m.WaitingFor(kernelsMount(object, fstype))()
	res, err := mount.Mount(ctx,
		mount.Request{Source: a.Path, Target: m.dir, FSType: fstype, Options: m.options})
	if err != nil {
		return m.refused(a, v, fstype, err)
	}
	m.id = res.ID
	if res.DroppedDiscard && m.options.Discard != nil {
		m.Warnf("%s: mounted without discard, which %s refuses here", object, fstype)
	} else if res.DroppedDiscard {
		m.Stepf("mounted without discard, which %s refuses here", fstype)
	}
	return nil
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
