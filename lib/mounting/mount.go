package mounting

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// MountRequest is what mount(8) hands to its helper (mount(8), EXTERNAL
// HELPERS).
type MountRequest struct {
	Spec    string // POOL/VOLUME
	Dir     string
	Options string // as after -o
	FSType  string // "thin", or "thin.ext4" to skip probing; may be empty
	Fake    bool   // -f: check all, change nothing
	NoMtab  bool   // -n: leave utab alone
}

// Mount mounts a volume, or adds a reference where it is mounted on that very
// path already. On another path it is ErrBusy. When Mount fails nothing is
// mounted, active or counted that was not before, but a pool that had to be
// activated stays active.
func Mount(ctx context.Context, s *host.System, r MountRequest) error {
	ctx, cancel := s.Waiting(ctx)
	defer cancel()
	o, err := mount.ParseOptions(r.Options)
	if err != nil {
		return fault.Wrap(fault.ErrUsage, err)
	}
	c, err := s.Kernel()
	if o.User && errors.Is(err, fault.ErrPermission) {
		return &fault.Error{Err: fault.ErrPermission, Hint: "mount.thin is not setuid, so the option user is of no use: ask root"}
	}
	if err != nil {
		return err
	}
	defer c.Close()
	pool, volume, err := resolveSpec(s, c, r.Spec, r.Dir)
	if err != nil {
		return err
	}
	if _, err = registry.FindVolume(s, pool, volume); err != nil {
		return unlessNofail(s, o, err)
	}
	dir, err := mount.OpenDir(r.Dir)
	if err != nil {
		return dirError(r.Dir, err)
	}
	if dir == subdirTarget {
		r.NoMtab = true
	}
	if r.Fake {
		return nil
	}
	m := &mounting{System: s, c: c, request: r, options: o, dir: dir}
	// Paths of others are followed here, before a lock is held.
	m.line, m.loses = registry.FstabLine(s, pool+"/"+volume, dir), m.refuseLoser(pool+"/"+volume)
	return unlessNofail(s, o, m.do(ctx, pool, volume))
}

// unlessNofail drops the error of a volume that is not there, or whose pool lacks a
// disk or file, if the option nofail is given: mount(8) does so for a device.
func unlessNofail(s *host.System, o mount.Options, err error) error {
	if !o.Nofail || o.Remount || !errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrNoBacking) {
		return err
	}
	s.Warnf("%v: skipped (nofail)", err)
	return nil
}

// dirError says what to do about a mount point that cannot be opened: to make it
// helps only where nothing is in its place.
func dirError(dir string, err error) error {
	e := &fault.Error{Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "mkdir -p " + fault.ShellPath(dir)
	case errors.Is(err, unix.ENOTDIR):
		e.Hint = "a volume is mounted on a directory"
	}
	return e
}

// subdirTarget is where mount(8) has us mount what it then shows a folder of
// elsewhere (X-mount.subdir=), in a mount namespace of its own. What umount(8)
// will see has neither this path nor a line in utab; the device goes at its last
// close.
const subdirTarget = "/run/mount/tmptgt"

// mounting is one Mount under way.
type mounting struct {
	*host.System
	c       *dm.Control
	request MountRequest
	options mount.Options
	dir     string
	line    int   // of fstab, that wants this mount; or 0
	loses   error // of a line of fstab that another line wins over
	id      int   // of the mount that was made

	wayOut fault.Remedy // what to do when the kernel refuses the mount, where the pool's state tells; or nil
}

func (m *mounting) do(ctx context.Context, pool, volume string) error {
	ref, v, err := registry.LockKnown(ctx, m.System, pool, volume)
	if err != nil {
		return err
	}
	defer ref.Close()
	rec, err := registry.ObserveOwn(m.System, m.c, ref, v)
	if err != nil {
		return err
	}
	if rec.Elsewhere {
		if done, err := m.beside(rec, v); done || err != nil {
			return err
		}
	}
	if m.options.Remount {
		return m.remount(rec, v)
	}
	if rec.References == 0 || rec.MountedOn != m.dir {
		if m.loses != nil {
			return m.skip(m.loses)
		}
	}
	if rec.References > 0 {
		return m.addReference(ctx, ref, rec)
	}
	return m.first(ctx, ref, rec, v)
}

// first activates, probes, mounts, and writes down what umount needs.
func (m *mounting) first(ctx context.Context, ref *refcount.Ref, rec refcount.Record, v catalog.Volume) error {
	p, err := engine.OpenActive(ctx, m.System, m.c, v.Pool, engine.Shared)
	if err != nil {
		return err
	}
	if err := m.suit(p, rec); err != nil {
		p.Close()
		return err
	}
	a, err := p.ActivateVolume(ctx, v, rec.Held)
	p.Close()
	if err != nil {
		m.cleanUp(ctx, rec, v)
		return err
	}
	fstype, err := m.mountDevice(ctx, a, v)
	if err != nil {
		err = health.BlameMetadata(ctx, m.System, m.c, v, err)
	} else {
		err = m.undone(m.record(ctx, ref, rec, v, a))
	}
	a.Close()
	if err != nil {
		m.cleanUp(ctx, rec, v)
		return err
	}
	if v.FS != fstype {
		m.rememberFS(ctx, v, fstype)
	}
	return nil
}

// mountDevice finds out the filesystem and mounts it.
func (m *mounting) mountDevice(ctx context.Context, a *engine.Activation, v catalog.Volume) (fstype string, err error) {
	object := v.Pool + "/" + v.Name
	_, fstype, _ = strings.Cut(m.request.FSType, ".")
	found, err := m.probe(a, v, fstype)
	if err != nil {
		return "", err
	}
	if fstype == "" {
		fstype = found.Type
	}
	if fstype == "btrfs" {
		if err := mount.BtrfsConflict(found.UUID, a.Path); err != nil {
			return "", &fault.Error{Object: object, Err: fault.Wrap(fault.ErrBusy, err)}
		}
	}
	m.Stepf("mounting %s (%s) on %s", object, fstype, m.dir)
	defer m.WaitingFor(kernelsMount(object, fstype))()
	res, err := mount.Mount(ctx, mount.Request{Source: a.Path, Target: m.dir, FSType: fstype, Options: m.options})
	if err != nil {
		return "", m.refused(a, v, fstype, err)
	}
	m.id = res.ID
	if res.DroppedDiscard && m.options.Discard != nil {
		m.Warnf("%s: mounted without discard, which %s refuses here", object, fstype)
	} else if res.DroppedDiscard {
		m.Stepf("mounted without discard, which %s refuses here", fstype)
	}
	return fstype, nil
}

// probe reads the filesystem's type from the device. A type that the caller
// names is believed; btrfs is looked at all the same, for its fsid.
func (m *mounting) probe(a *engine.Activation, v catalog.Volume, named string) (fsprobe.Result, error) {
	if named != "" && named != "btrfs" {
		return fsprobe.Result{Type: named}, nil
	}
	found, err := fsprobe.Probe(a, v.Size)
	object := v.Pool + "/" + v.Name
	switch {
	case err == nil:
		return found, nil
	case errors.Is(err, fsprobe.ErrNone):
		return found, &fault.Error{Object: object, Err: err, Hint: "if it is new: thin-snap format --fs ext4 " + object}
	}
	return found, m.unprobed(object, err)
}

// remount changes the options of a mounted volume; no reference is counted.
func (m *mounting) remount(rec refcount.Record, v catalog.Volume) error {
	object := v.Pool + "/" + v.Name
	if rec.References == 0 || rec.MountedOn != m.dir {
		return &fault.Error{Object: object, Err: fault.Errorf(fault.ErrNotFound, "not mounted on %s", m.dir), Hint: "mount -t thin " + object + " " + fault.ShellPath(m.dir)}
	}
	if !m.options.ReadOnly {
		if err := m.suitRemount(v); err != nil {
			return err
		}
	}
	switch err := mount.Remount(m.dir, rec.MountID, m.options); {
	case errors.Is(err, mount.ErrMoved):
		return &fault.Error{Object: object, Err: fault.Wrap(fault.ErrBusy, err), Hint: "findmnt shows what is mounted there by now"}
	case err != nil:
		return &fault.Error{Object: object, Err: err}
	}
	m.warnOfDiscard(object, rec)
	return nil
}

// isOurs says whether a mount is of a volume, by its source: btrfs shows no
// device number of ours in the mount table.
func isOurs(m *mountinfo.Info) (pool, volume string, ok bool) {
	name, found := dmname.OfNode(m.Source)
	if !found || !mount.NamesDevice(m) {
		return "", "", false
	}
	return dmname.ParseVolume(name)
}
