package thin

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// VolumeInfo is what list and show tell of a volume.
type VolumeInfo struct {
	Name       string // POOL/VOLUME
	Pool       string
	ID         uint32  // thin id
	Size       int64   // bytes
	Used       *int64  // bytes mapped, shared ones included; nil when unknown
	Origin     *string // POOL/VOLUME; nil when there is none (any more)
	FS         string  // "" when unknown
	Active     bool
	Device     string // /dev/mapper/NAME; "" of an inactive volume
	MountedOn  string
	MountedIn  int // process in whose mount namespace MountedOn is; 0 when it is ours, or that of no process that we see
	References int
	Created    time.Time
}

// Volumes lists the volumes of a pool, or of all pools, by name. What can be
// told is told: with an error come the volumes that could be read.
func (s *System) Volumes(ctx context.Context, pool string) ([]VolumeInfo, error) {
	c, err := s.kernel()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	names := []string{pool}
	if pool == "" {
		if names, err = s.catalogs().Pools(); err != nil {
			return nil, err
		}
	}
	var all []VolumeInfo
	var errs []error
	for _, name := range names {
		infos, err := s.volumesOf(c, name)
		if pool == "" && s.skipMisplaced(err) {
			continue
		}
		all = append(all, infos...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// Volume tells of one volume.
func (s *System) Volume(ctx context.Context, pool, volume string) (VolumeInfo, error) {
	c, err := s.kernel()
	if err != nil {
		return VolumeInfo{}, err
	}
	defer c.Close()
	v, err := s.findVolume(pool, volume)
	if err != nil {
		return VolumeInfo{}, err
	}
	cat, err := s.openCatalog(pool)
	if err != nil {
		return VolumeInfo{}, err
	}
	own := s.ownDevices(c, cat)
	return s.describe(c, cat, v, s.usage(c, cat, own), own, readProcTables)
}

// ownDevices tells whether what is active under the pool's uuid, if anything, is
// the pool's own. If not, that is warned of.
func (s *System) ownDevices(c *dm.Control, cat *catalog.Catalog) bool {
	other := activeCopy(c, cat.Pool())
	if other == nil || other.renamed {
		return true
	}
	s.warn("%v (%s)", other.err, other.err.Hint)
	return false
}

func (s *System) volumesOf(c *dm.Control, pool string) ([]VolumeInfo, error) {
	cat, err := s.openCatalog(pool)
	if err != nil {
		return nil, err
	}
	volumes, err := cat.Volumes()
	if err != nil {
		err = corrupt("pool "+pool, err)
	}
	own := s.ownDevices(c, cat)
	used, tables := s.usage(c, cat, own), sync.OnceValue(readProcTables)
	var infos []VolumeInfo
	for _, v := range volumes {
		info, e := s.describe(c, cat, v, used, own, tables)
		infos, err = append(infos, info), errors.Join(err, e)
	}
	return infos, err
}

// describe puts together what the catalog, the kernel and the references know.
// Without own, what the kernel knows is of a copy of the pool.
func (s *System) describe(c *dm.Control, cat *catalog.Catalog, v catalog.Volume, used map[uint32]int64, own bool,
	tables func() []procTable) (VolumeInfo, error) {

	info := VolumeInfo{
		Name: v.Pool + "/" + v.Name, Pool: v.Pool, ID: v.ID, Size: v.Size, FS: v.FS, Created: v.Created,
	}
	if o, err := cat.Volume(v.Origin); v.Origin != "" && err == nil && o.ID == v.OriginID {
		name := v.Pool + "/" + v.Origin
		info.Origin = &name
	}
	if n, ok := used[v.ID]; ok {
		info.Used = &n
	}
	if !own {
		return info, nil
	}
	rec, _ := s.refs().Read(v.Pool, v.Name) // unreadable: the mount table alone tells
	obs, asleep, err := observed(c, v, rec)
	if err != nil {
		return info, &Error{Object: info.Name, Err: err}
	}
	if asleep || obs.Active && s.isMarked(v) {
		s.wakeIfLeft(c, v)
	}
	if info.Active = obs.Active; info.Active {
		info.Device = c.NodePath(volumeName(v.Pool, v.Name))
	}
	if n := mappedBytes(c, v); n != nil {
		info.Used = n
	}
	rec = rec.Reconcile(obs)
	info.MountedOn, info.References = rec.MountedOn, rec.References
	if rec.Elsewhere {
		info.lookElsewhere(rec, obs, tables)
	}
	return info, nil
}

// lookElsewhere finds where a volume is mounted whose counted mount is not to be
// seen here: on a copy of that, which leads to the same files, or else in the mount
// namespace of a process.
func (i *VolumeInfo) lookElsewhere(rec refcount.Record, obs refcount.Observed, tables func() []procTable) {
	if len(obs.Mounts) == 0 {
		if pid, dir := mountedBy(slices.Values(tables()), rec.Dev, i.Device); pid != 0 {
			i.MountedIn, i.MountedOn = pid, dir
		}
		return
	}
	same := slices.ContainsFunc(obs.Mounts, func(m refcount.MountPoint) bool { return m.Path == rec.MountedOn })
	if !same {
		i.MountedOn = obs.Mounts[0].Path
	}
}

// readProcTables reads the mount tables that processes see, for many volumes.
func readProcTables() []procTable { return slices.Collect(procTables("/proc")) }

// mappedBytes asks an active volume's device how much it maps.
func mappedBytes(c *dm.Control, v catalog.Volume) *int64 {
	if len(suspended(c, v.PoolUUID)) > 0 {
		return nil // to ask could hang
	}
	targets, _, err := c.Status(volumeRef(v.PoolUUID, v.ID), dm.StatusNoFlush)
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
