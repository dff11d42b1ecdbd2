package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// removeStaleFiles removes the files that killed commands left of this pool:
// temp files, and the locks and records of volumes that do not exist. It skips
// a volume whose lock is taken, because a command is at work on it. It also
// removes stale lines of utab, stale semaphores and half-made pools. The caller
// holds the pool's lock exclusively.
//
// Most commands do not call it: see Recover. A killed command leaves its
// volume's lock file, which tells where else to look. After a boot there are no
// such files: then, and where a user asks for it, removeStaleFiles looks at all
// volumes (thorough).
func (p *Pool) removeStaleFiles(ctx context.Context) error {
	p.removeStaleUtabLines(ctx)
	traces, err := p.Sys.Refs().Traces(p.Name())
	if err != nil {
		return p.Wrap(err)
	}
	var volumes map[string]bool
	if p.thorough {
		volumes, err = p.Catalog.Tidy()
	} else {
		volumes, err = p.Catalog.TidyOf(slices.Collect(maps.Keys(traces)))
	}
	if err != nil {
		return p.Wrap(err)
	}
	active, err := p.activeVolumes()
	if err != nil {
		return err
	}
	inUse := map[string]bool{}
	for _, d := range active {
		if volume, ok := dmname.ParseVolume(d.Name); ok {
			inUse[volume.Name] = true
		}
	}
	for volume, recorded := range traces {
		// The lock file of a volume that exists stays, and so does the record
		// of an active one.
		if volumes[volume] && (inUse[volume] || !recorded) ||
			spec.CheckVolumeName(volume) != nil {
			continue
		}
		ref, err := p.Sys.Refs().TryLock(p.Volume(volume))
		if err != nil {
			continue
		}
		if err = ref.Tidy(); err == nil {
			err = p.removeIdleRecord(ref)
		}
		registry.Unlock(p.Sys, ref)
		if err != nil {
			return p.Wrap(err)
		}
	}
	// A container may see semaphores that it must not remove.
	if err := dm.DropStaleSemaphores(); err != nil {
		p.Sys.Warnf("%v", err)
	}
	// A pool that was half made has no command of its own that would find it:
	// no list shows it.
	ClearHalfMadeOthers(ctx, p.Sys, p.DM)
	return nil
}

// removeIdleRecord removes the record of a volume unless the volume is active.
// An active volume keeps it: the device may be mounted, or kept on purpose.
func (p *Pool) removeIdleRecord(ref *refcount.Ref) error {
	if _, err := p.DM.Info(
		dm.ByName(dmname.Volume(ref.Volume())),
	); !errors.Is(err, dm.ErrNotExist) {
		return err
	}
	return ref.Clear()
}

// removeStaleUtabLines removes the lines of mounts that have ended from
// libmount's table. If it cannot, it warns and the command goes on. The table
// is libmount's, and shared by all mounts of the machine: a lock on it that
// others hold makes this wait until ctx ends.
func (p *Pool) removeStaleUtabLines(ctx context.Context) {
	p.Sys.Utab().Looked()
	if err := p.Sys.Utab().Tidy(ctx, registry.LookUtab(p.Sys, p.DM)); err != nil {
		p.Sys.Warnf("utab: %v", err)
	}
}

// ClearHalfMadePools finishes the deletion of pools, and undoes the creation of
// pools, whose command was killed. No list shows such a pool. Commands on any
// other pool remove it, too.
func ClearHalfMadePools(ctx context.Context, s *host.System) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		return clearHalfMadePools(ctx, s, c)
	})
}

// othersWait limits the time that a command spends on what other commands left:
// on other pools, and on discarding the volumes that they were to delete.
const othersWait = 2 * time.Second

// ClearHalfMadeOthers does what ClearHalfMadePools does, but stops after
// othersWait, and only warns. A pool that cannot be removed, because its disk
// hangs for example, must not keep a command from its work on another pool.
func ClearHalfMadeOthers(ctx context.Context, s *host.System, c *dm.Control) {
	ctx, cancel := context.WithTimeout(ctx, othersWait)
	defer cancel()
	if err := clearHalfMadePools(ctx, s, c); err != nil {
		s.Warnf("%v", err)
	}
}

// clearHalfMadePools removes what is left of pools whose command died while it
// made or deleted them: pools whose catalog says so, folders without a catalog,
// and locks of pools that do not exist.
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
			whole[name] = true // the next command on that pool reports it
			continue
		}
		_, incomplete := cat.Pool().Incomplete()
		whole[name] = !incomplete
	}
	var errs []error
	for _, name := range slices.Concat(pools, halves, locked) {
		if whole[name] || spec.CheckPoolName(name) != nil {
			continue
		}
		if err := clearHalfMadePool(ctx, s, c, name); err != nil {
			errs = append(errs, &fault.Error{Object: "pool " + name, Err: err})
		}
		whole[name] = true // done, or as much of it as was possible
	}
	return errors.Join(errs...)
}

// clearHalfMadePool does what clearHalfMadePools does, for one pool. It skips a
// pool whose lock is taken. The lock is tried and not waited for, and
// everything is read anew under it: the pool may have been finished since the
// caller looked.
func clearHalfMadePool(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	// If the lock is taken, a command is making or deleting the pool.
	lock, err := s.Refs().TryPoolLock(name, false)
	if err != nil {
		return nil
	}
	if cat, err := s.Catalogs().Open(name); err == nil {
		p := &Pool{
			Sys:     s,
			DM:      c,
			Catalog: cat,
			Lock:    lock,
			Target:  thinpool.New(c, dmname.PartUUID(cat.Pool().UUID, dmname.Pool)),
		}
		if !p.HalfMade() {
			return lock.Unlock() // a command has made it since
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
