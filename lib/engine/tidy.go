package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// removeStaleFiles removes the files that killed commands have left of this pool: temp files,
// and the locks and records of volumes that do not exist. Exclusive access. What
// has its lock taken is in good hands.
func (p *Pool) removeStaleFiles(ctx context.Context) error {
	p.removeStaleUtabLines(ctx)
	volumes, err := p.Catalog.Tidy()
	if err != nil {
		return p.Wrap(err)
	}
	traces, err := p.Sys.Refs().Traces(p.Name())
	if err != nil {
		return p.Wrap(err)
	}
	active, err := p.activeVolumes()
	if err != nil {
		return err
	}
	inUse := map[string]bool{}
	for _, d := range active {
		if _, volume, ok := dmname.ParseVolume(d.Name); ok {
			inUse[volume] = true
		}
	}
	for volume, recorded := range traces {
		if volumes[volume] && (inUse[volume] || !recorded) || catalog.CheckVolumeName(volume) != nil {
			continue
		}
		ref, err := p.Sys.Refs().TryLock(p.Name(), volume)
		if err != nil {
			continue
		}
		if err = ref.Tidy(); err == nil {
			err = p.removeIdleRecord(ref, volume)
		}
		registry.Unlock(p.Sys, ref, p.Name(), volume)
		if err != nil {
			return p.Wrap(err)
		}
	}
	if err := dm.DropStaleSemaphores(); err != nil { // a container may see what it must not touch
		p.Sys.Warnf("%v", err)
	}
	ClearHalfMadeOthers(ctx, p.Sys, p.DM)
	return nil
}

// removeIdleRecord removes the record of a volume that is not active.
func (p *Pool) removeIdleRecord(ref *refcount.Ref, volume string) error {
	if _, err := p.DM.Info(dm.ByName(dmname.Volume(p.Name(), volume))); !errors.Is(err, dm.ErrNotExist) {
		return err
	}
	return ref.Clear()
}

// removeStaleUtabLines takes the lines of mounts that are gone out of libmount's table. That it cannot be done is no failure of the command.
func (p *Pool) removeStaleUtabLines(ctx context.Context) {
	if err := p.Sys.Utab().Tidy(ctx, registry.LookUtab(p.Sys, p.DM)); err != nil {
		p.Sys.Warnf("utab: %v", err)
	}
}

// ClearHalfMadePools finishes the deleting of pools, and undoes the making of those, whose
// command was killed, and which therefore no list shows. Commands on any other
// pool do so, too.
func ClearHalfMadePools(ctx context.Context, s *host.System) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		return clearHalfMadePools(ctx, s, c)
	})
}

// othersWait bounds what a command does for pools that are not its own.
const othersWait = 2 * time.Second

// ClearHalfMadeOthers is Tidy in passing: that a pool cannot be cleared away, as one whose
// disk hangs, keeps no command from its work on another.
func ClearHalfMadeOthers(ctx context.Context, s *host.System, c *dm.Control) {
	ctx, cancel := context.WithTimeout(ctx, othersWait)
	defer cancel()
	if err := clearHalfMadePools(ctx, s, c); err != nil {
		s.Warnf("%v", err)
	}
}

// clearHalfMadePools removes what is left of pools that were being made or deleted when
// their command died: pools whose catalog says so, folders without a catalog, and
// locks of pools that do not exist.
func clearHalfMadePools(ctx context.Context, s *host.System, c *dm.Control) error {
	pools, err := s.Catalogs().Pools()
	if err != nil {
		return err
	}
	halves, err := s.Catalogs().Halves()
	if err != nil {
		return err
	}
	locked, err := s.Refs().LockedPools()
	if err != nil {
		return err
	}
	whole := map[string]bool{}
	for _, name := range pools {
		cat, err := s.Catalogs().Open(name)
		if err != nil {
			whole[name] = true // whoever uses it will hear of it
			continue
		}
		_, incomplete := cat.Pool().Incomplete()
		whole[name] = !incomplete
	}
	var errs []error
	for _, name := range slices.Concat(pools, halves, locked) {
		if whole[name] || catalog.CheckPoolName(name) != nil {
			continue
		}
		if err := clearHalfMadePool(ctx, s, c, name); err != nil {
			errs = append(errs, &fault.Error{Object: "pool " + name, Err: err})
		}
		whole[name] = true // done, as far as it could be
	}
	return errors.Join(errs...)
}

// clearHalfMadePool does so for one, unless somebody has its lock.
func clearHalfMadePool(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	lock, err := s.Refs().TryPoolLock(name, false)
	if err != nil {
		return nil
	}
	if cat, err := s.Catalogs().Open(name); err == nil {
		p := &Pool{Sys: s, DM: c, Catalog: cat, Lock: lock, Target: thinpool.New(c, dmname.PartUUID(cat.Pool().UUID, dmname.Pool))}
		if !p.HalfMade() {
			return lock.Unlock() // made meanwhile
		}
		if err := p.ClearHalfMade(ctx); err != nil {
			lock.Unlock()
			return err
		}
	}
	if err := s.Catalogs().ClearHalf(name); err != nil {
		lock.Unlock()
		return err
	}
	return lock.Remove()
}
