package thin

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// tidy removes the files that killed commands have left of this pool: temp files,
// and the locks and records of volumes that do not exist. Exclusive access. What
// has its lock taken is in good hands.
func (p *pool) tidy(ctx context.Context) error {
	p.tidyUtab(ctx)
	volumes, err := p.cat.Tidy()
	if err != nil {
		return p.fail(err)
	}
	traces, err := p.sys.refs().Traces(p.name())
	if err != nil {
		return p.fail(err)
	}
	active, err := p.activeVolumes()
	if err != nil {
		return err
	}
	inUse := map[string]bool{}
	for _, d := range active {
		if _, volume, ok := splitVolumeName(d.Name); ok {
			inUse[volume] = true
		}
	}
	for volume, recorded := range traces {
		if volumes[volume] && (inUse[volume] || !recorded) || catalog.CheckVolumeName(volume) != nil {
			continue
		}
		ref, err := p.sys.refs().TryLock(p.name(), volume)
		if err != nil {
			continue
		}
		if err = ref.Tidy(); err == nil {
			err = p.clearIdle(ref, volume)
		}
		p.sys.letGo(ref, p.name(), volume)
		if err != nil {
			return p.fail(err)
		}
	}
	if err := dm.DropStaleSemaphores(); err != nil { // a container may see what it must not touch
		p.sys.warn("%v", err)
	}
	p.sys.tidyOthers(ctx, p.dm)
	return nil
}

// clearIdle removes the record of a volume that is not active.
func (p *pool) clearIdle(ref *refcount.Ref, volume string) error {
	if _, err := p.dm.Info(dm.ByName(volumeName(p.name(), volume))); !errors.Is(err, dm.ErrNotExist) {
		return err
	}
	return ref.Clear()
}

// tidyUtab takes the lines of mounts that are gone out of libmount's table. That it cannot be done is no failure of the command.
func (p *pool) tidyUtab(ctx context.Context) {
	if err := p.sys.utab().Tidy(ctx, p.sys.lookUtab(p.dm)); err != nil {
		p.sys.warn("utab: %v", err)
	}
}

// Tidy finishes the deleting of pools, and undoes the making of those, whose
// command was killed, and which therefore no list shows. Commands on any other
// pool do so, too.
func (s *System) Tidy(ctx context.Context) error { return s.use(ctx, s.tidyPools) }

// othersWait bounds what a command does for pools that are not its own.
const othersWait = 2 * time.Second

// tidyOthers is Tidy in passing: that a pool cannot be cleared away, as one whose
// disk hangs, keeps no command from its work on another.
func (s *System) tidyOthers(ctx context.Context, c *dm.Control) {
	ctx, cancel := context.WithTimeout(ctx, othersWait)
	defer cancel()
	if err := s.tidyPools(ctx, c); err != nil {
		s.warn("%v", err)
	}
}

// tidyPools removes what is left of pools that were being made or deleted when
// their command died: pools whose catalog says so, folders without a catalog, and
// locks of pools that do not exist.
func (s *System) tidyPools(ctx context.Context, c *dm.Control) error {
	pools, err := s.catalogs().Pools()
	if err != nil {
		return err
	}
	halves, err := s.catalogs().Halves()
	if err != nil {
		return err
	}
	locked, err := s.refs().LockedPools()
	if err != nil {
		return err
	}
	whole := map[string]bool{}
	for _, name := range pools {
		cat, err := s.catalogs().Open(name)
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
		if err := s.tidyPool(ctx, c, name); err != nil {
			errs = append(errs, &Error{Object: "pool " + name, Err: err})
		}
		whole[name] = true // done, as far as it could be
	}
	return errors.Join(errs...)
}

// tidyPool does so for one, unless somebody has its lock.
func (s *System) tidyPool(ctx context.Context, c *dm.Control, name string) error {
	lock, err := s.refs().TryPoolLock(name, false)
	if err != nil {
		return nil
	}
	if cat, err := s.catalogs().Open(name); err == nil {
		p := &pool{sys: s, dm: c, cat: cat, lock: lock, thin: thinpool.New(c, partUUID(cat.Pool().UUID, partPool))}
		if !p.halfMade() {
			return lock.Unlock() // made meanwhile
		}
		if err := p.clearHalfMade(ctx); err != nil {
			lock.Unlock()
			return err
		}
	}
	if err := s.catalogs().ClearHalf(name); err != nil {
		lock.Unlock()
		return err
	}
	return lock.Remove()
}
