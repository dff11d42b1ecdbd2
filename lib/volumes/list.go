package volumes

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// VolumeInfo is what list and show tell about a volume.
type VolumeInfo struct {
	Volume     spec.Volume
	ID         spec.ID      // thin id
	Size       int64        // bytes
	Used       *int64       // mapped bytes, shared ones included; nil if unknown
	Origin     *spec.Volume // nil if there is none (any more)
	FS         string       // "" if unknown
	ReadOnly   bool         // its device is read-only
	Active     bool
	Device     string // /dev/mapper/NAME; "" if inactive
	MountedOn  string
	MountedIn  int // process whose mount namespace has MountedOn; 0 if ours, or unknown
	References int
	Created    time.Time
	Properties spec.Properties
}

// Volumes lists the volumes of a pool, or of all pools if pool is "", by name.
// With an error it returns the volumes that it could read.
func Volumes(ctx context.Context, s *host.System, pool string) ([]VolumeInfo, error) {
	c, err := s.Kernel()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	names := []string{pool}
	if pool == "" {
		if names, err = s.Catalogs().Pools(); err != nil {
			return nil, err
		}
	}
	var all []VolumeInfo
	var errs []error
	for _, name := range names {
		infos, err := volumesOf(s, c, name)
		if pool == "" && registry.SkipMisplaced(s, err) {
			continue
		}
		all = append(all, infos...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// Volume tells about one volume.
func Volume(ctx context.Context, s *host.System, volume spec.Volume) (VolumeInfo, error) {
	c, err := s.Kernel()
	if err != nil {
		return VolumeInfo{}, err
	}
	defer c.Close()
	cat, v, err := registry.Find(s, volume)
	if errors.Is(err, registry.ErrOfRun) {
		err = nil
	}
	if err != nil {
		return VolumeInfo{}, err
	}
	c = c.Remember()
	l := lister{s: s, c: c, cat: cat, own: ownDevices(s, c, cat),
		mounts: mount.Table, tables: registry.ReadProcTables}
	l.used = func(id spec.ID) *int64 {
		var n *int64
		l.metadata(func(f io.ReaderAt, at int64) error {
			d, ok, err := thinpool.ReadDevice(f, at, id)
			if ok {
				n = l.bytes(d)
			}
			return err
		})
		return n
	}
	return l.describe(v)
}

// Origin returns what a volume is a snapshot of, or nil if it is none, or its
// origin was deleted.
func Origin(ctx context.Context, s *host.System, volume spec.Volume) (*spec.Volume, error) {
	cat, v, err := registry.Find(s, volume)
	if err != nil {
		return nil, err
	}
	o, ok := lister{cat: cat}.origin(v)
	if !ok {
		return nil, nil
	}
	return &spec.Volume{Pool: v.Pool, Name: o.Name}, nil
}

// ownDevices says whether the devices that are active under the pool's uuid are
// the pool's own, or there are none. If they are those of a copy of the pool,
// it warns and returns false.
func ownDevices(s *host.System, c *dm.Control, cat *catalog.Catalog) bool {
	other := backing.ActiveCopy(c, cat.Pool())
	if other == nil || other.Renamed {
		return true
	}
	s.Warnf("%v (%v)", other.Err, other.Err.Remedy)
	return false
}

// running returns the volumes that were made for programs that run in them. A
// later command deletes those whose programs were killed.
func running(s *host.System, cat *catalog.Catalog) []catalog.Volume {
	return slices.DeleteFunc(cat.Runs(), func(v catalog.Volume) bool {
		free, err := s.Refs().IsFree(v.Spec())
		return err == nil && free
	})
}

func volumesOf(s *host.System, c *dm.Control, pool string) ([]VolumeInfo, error) {
	cat, err := registry.OpenCatalog(s, pool)
	if err != nil {
		return nil, err
	}
	volumes, err := cat.Volumes()
	if err != nil {
		err = registry.Corrupt("pool "+pool, err)
	}
	// Nobody can use those in which programs run, but they take room.
	if runs := running(s, cat); len(runs) > 0 {
		volumes = append(volumes, runs...)
		slices.SortFunc(volumes,
			func(a, b catalog.Volume) int { return cmp.Compare(a.Name, b.Name) })
	}
	// Each question goes to the kernel once, and not for each volume: which
	// devices there are, and what is mounted.
	c = c.Remember()
	if _, e := c.List(""); e != nil {
		return nil, errors.Join(err, e)
	}
	l := lister{s: s, c: c, cat: cat, own: ownDevices(s, c, cat),
		mounts: sync.OnceValues(mount.Table), tables: sync.OnceValue(registry.ReadProcTables),
		byID: make(map[spec.ID]catalog.Volume, len(volumes))}
	for _, v := range volumes {
		l.byID[v.ID] = v
	}
	devices := sync.OnceValue(l.devices)
	l.used = func(id spec.ID) *int64 {
		if d, ok := devices()[id]; ok {
			return l.bytes(d)
		}
		return nil
	}
	infos, errs := make([]VolumeInfo, 0, len(volumes)), []error{err}
	for _, v := range volumes {
		info, e := l.describe(v)
		infos = append(infos, info)
		if e != nil {
			errs = append(errs, e)
		}
	}
	return infos, errors.Join(errs...)
}

// lister holds what describe needs for all volumes of a pool.
type lister struct {
	s      *host.System
	c      *dm.Control
	cat    *catalog.Catalog
	own    bool                 // the active devices are not those of a copy of the pool
	used   func(spec.ID) *int64 // mapped bytes, from the pool's metadata; nil if unknown
	mounts registry.MountTable  // our own mount table
	tables func() []registry.ProcTable
	byID   map[spec.ID]catalog.Volume // all volumes; nil if only one is described
}

// origin returns the record of the volume that v was made from, unless that
// volume is gone. v has the name that its origin had then. If no such volume
// has that name now, the origin may have been renamed: then it is the volume
// with the origin's thin id. A deleted volume's thin id may come back, and then
// belongs to a volume that is younger than v.
func (l lister) origin(v catalog.Volume) (o catalog.Volume, ok bool) {
	if v.Origin == "" {
		return o, false
	}
	if l.byID != nil {
		o, ok = l.byID[v.OriginID]
		return o, ok && isOrigin(o, v)
	}
	if o, err := l.cat.Volume(v.Origin); err == nil && isOrigin(o, v) {
		return o, true
	}
	volumes, _ := l.cat.Volumes() // what cannot be read is not shown
	i := slices.IndexFunc(volumes, func(o catalog.Volume) bool { return isOrigin(o, v) })
	if i < 0 {
		return o, false
	}
	return volumes[i], true
}

// isOrigin reports whether v was made from o.
func isOrigin(o, v catalog.Volume) bool {
	return v.Origin != "" && o.ID == v.OriginID &&
		(o.Name == v.Origin || o.TransactionID < v.TransactionID)
}

// describe puts together what the catalog, the kernel and the references know
// about a volume. If the active devices are those of a copy of the pool, it
// does not ask the kernel.
func (l lister) describe(v catalog.Volume) (VolumeInfo, error) {
	info := VolumeInfo{
		Volume: v.Spec(), ID: v.ID, Size: v.Size, FS: v.FS, Created: v.Created,
		ReadOnly: v.ReadOnly, Properties: v.Properties,
	}
	if o, ok := l.origin(v); ok {
		info.Origin = &spec.Volume{Pool: v.Pool, Name: o.Name}
	}
	var err error
	if l.own {
		_, err = l.c.Info(dmname.VolumeRef(v.PoolUUID, v.ID))
	}
	if !l.own || errors.Is(err, dm.ErrNotExist) {
		info.Used = l.used(v.ID)
		return info, nil // without a device there is no mount, whatever a reference file says
	}
	rec, _ := l.s.Refs().Read(v.Spec()) // without it the mount table alone tells
	obs, asleep, err := registry.QueryKernelIn(l.mounts, l.c, v, rec)
	if err != nil {
		return info, &fault.Error{Object: info.Volume.String(), Err: err}
	}
	if asleep || obs.Active && registry.IsMarked(l.s, v) {
		registry.ResumeIfUnlocked(l.s, l.c, v)
	}
	if info.Active = obs.Active; info.Active {
		info.Device = l.c.NodePath(dmname.Volume(v.Spec()))
	}
	if info.Used = mappedBytes(l.c, v); info.Used == nil {
		info.Used = l.used(v.ID)
	}
	rec = rec.Reconcile(obs)
	info.MountedOn, info.References = rec.MountedOn, rec.References
	if rec.Elsewhere {
		info.lookElsewhere(rec, obs, l.tables)
	}
	return info, nil
}

// lookElsewhere finds a place where a volume is mounted, if its counted mount
// is not in this mount namespace. If this namespace has a copy of that mount,
// MountedOn becomes the copy's path, which leads to the same files. Otherwise
// MountedIn becomes a process whose mount namespace has the volume.
func (i *VolumeInfo) lookElsewhere(
	rec refcount.Record, obs refcount.Observed, tables func() []registry.ProcTable,
) {
	if len(obs.Mounts) == 0 {
		if pid, dir := registry.MountedBy(slices.Values(tables()), rec.Dev, i.Device); pid != 0 {
			i.MountedIn, i.MountedOn = pid, dir
		}
		return
	}
	same := slices.ContainsFunc(obs.Mounts,
		func(m refcount.MountPoint) bool { return m.Path == rec.MountedOn })
	if !same {
		i.MountedOn = obs.Mounts[0].Path
	}
}

// mappedBytes asks an active volume's device how many bytes it maps. It returns
// nil if the device cannot be asked.
func mappedBytes(c *dm.Control, v catalog.Volume) *int64 {
	if len(health.Suspended(c, v.PoolUUID)) > 0 {
		return nil // asking could hang
	}
	targets, _, err := c.Status(dmname.VolumeRef(v.PoolUUID, v.ID), dm.StatusNoFlush)
	if err != nil || len(targets) != 1 {
		return nil
	}
	st, err := thinpool.ParseThinStatus(targets[0].Params)
	if err != nil || st.Fail {
		return nil
	}
	n := st.Mapped.Bytes()
	return &n
}

// metadata calls read with the pool's metadata, which begins at offset at. The
// metadata tells how much each inactive volume maps, whose device cannot be
// asked. If the metadata cannot be read, the use is unknown.
func (l lister) metadata(read func(f io.ReaderAt, at int64) error) {
	cfg := l.cat.Pool()
	path, at := cfg.Metadata.Path, int64(label.Reserved)
	meta := dm.ByUUID(dmname.PartUUID(cfg.UUID, dmname.Meta))
	if _, err := l.c.Info(meta); err == nil && l.own {
		path, at = l.c.NodePath(dmname.Part(cfg.Name, dmname.Meta)), 0
	}
	if at > 0 && !backing.CarriesPart(cfg, dmname.Meta, path) {
		return // this may be another disk's metadata
	}
	if l.own && len(health.Suspended(l.c, cfg.UUID)) > 0 {
		return // reading would hang
	}
	f, err := host.OpenDirect(path)
	if err != nil {
		return
	}
	defer f.Close()
	if err := read(f, at); err != nil {
		l.s.Stepf("pool %s: metadata: %v", cfg.Name, err)
	}
}

// devices reads from the pool's metadata what it has of each thin id. The
// result is nil if that cannot be read.
func (l lister) devices() (devices map[spec.ID]thinpool.Details) {
	l.metadata(func(f io.ReaderAt, at int64) (err error) {
		devices, err = thinpool.ReadDevices(f, at)
		if err != nil {
			devices = nil
		}
		return err
	})
	return devices
}

// bytes returns how many bytes a thin device maps.
func (l lister) bytes(d thinpool.Details) *int64 {
	n := int64(d.Mapped) * int64(l.cat.Pool().BlockSize) * dm.SectorSize
	return &n
}
