package thin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/filelock"
	"thinmount/lib/refcount"
)

// CheckStrays finds what looks like a pool's and belongs to none: folders,
// devices, nodes, links, and files under RunDir. It changes nothing.
func (s *System) CheckStrays(ctx context.Context) (found []Finding, err error) {
	err = s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		first, err := s.lookForStrays(c)
		if err != nil || len(first) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settling):
		}
		second, err := s.lookForStrays(c)
		found = slices.DeleteFunc(second, func(d Finding) bool { return !contains(first, d) })
		return err
	})
	return found, err
}

// RepairStrays is RepairPool for what CheckStrays has found.
func (s *System) RepairStrays(ctx context.Context, agreed []Finding) (left []Finding, err error) {
	err = s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		now, err := s.lookForStrays(c)
		if err != nil {
			return err
		}
		var errs []error
		for _, d := range now {
			if d.Repair != "" && contains(agreed, d) {
				errs = append(errs, s.repairStray(c, d))
			}
		}
		left, err = s.lookForStrays(c)
		return errors.Join(append(errs, err)...)
	})
	if err != nil {
		return nil, err
	}
	return marked(agreed, left), nil
}

func (s *System) lookForStrays(c *dm.Control) ([]Finding, error) {
	f := &strays{pools: map[string]string{}, busy: map[string]bool{}}
	folders, err := s.catalogs().Strays()
	if err != nil {
		return nil, err
	}
	f.folders = folders
	if f.entries, err = s.refs().Entries(); err != nil {
		return nil, err
	}
	links, err := os.ReadDir(s.aliasDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, l := range links {
		if catalog.CheckPoolName(l.Name()) == nil {
			f.aliases = append(f.aliases, l.Name())
		}
	}
	if f.nodes, err = c.StaleNodes(namePrefix); err != nil {
		return nil, err
	}
	devices, err := c.List(uuidPrefix)
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		f.devices = append(f.devices, dm.Info{Name: d.Name, UUID: d.UUID})
	}
	if err := s.lookPools(f); err != nil {
		return nil, err
	}
	return f.findings(), nil
}

// lookPools comes last: a pool that is new by then is there with all it has.
func (s *System) lookPools(f *strays) error {
	for _, e := range f.entries {
		if e.Kind == refcount.KindLock && e.Volume == "" {
			free, err := s.refs().IsFree(e.Pool, "")
			if err != nil {
				return err
			}
			f.busy[e.Pool] = !free
		}
	}
	names, err := s.catalogs().Pools()
	if err != nil {
		return err
	}
	for _, name := range names {
		f.pools[name] = ""
		if cat, err := s.catalogs().Open(name); err == nil {
			f.pools[name] = cat.Pool().UUID
		}
	}
	return nil
}

// repairStray does it under the pool's lock, behind which nobody can be making
// such a pool. What somebody is at work on is found again.
func (s *System) repairStray(c *dm.Control, d Finding) error {
	lock, err := s.refs().TryPoolLock(d.pool, false)
	if errors.Is(err, filelock.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := s.catalogs().Open(d.pool); !errors.Is(err, catalog.ErrNoPool) {
		return errors.Join(lock.Unlock(), err)
	}
	s.step("%s: %s", d.Object, d.Repair)
	switch {
	case d.Kind == KindFolder:
		err = s.catalogs().RemoveStray(d.pool)
	case d.Kind == KindNode:
		err = c.DropStaleNode(d.node)
	case d.Kind == KindAlias:
		err = s.dropAliases(c, d.pool)
	case d.volume != "":
		err = s.repairStrayFile(d)
	}
	return errors.Join(err, lock.Remove())
}

func (s *System) repairStrayFile(d Finding) error {
	ref, err := s.refs().TryLock(d.pool, d.volume)
	if err != nil {
		return nil
	}
	switch d.Kind {
	case KindTemp:
		err = ref.DropTemp(d.entry)
	case KindRecord:
		err = ref.Clear()
	}
	return errors.Join(err, ref.CloseRemove())
}

// dropAliases removes the links of a pool that is not there, and their folder.
func (s *System) dropAliases(c *dm.Control, pool string) error {
	dir := filepath.Join(s.aliasDir(), pool)
	links, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, l := range links {
		if _, err := c.Info(dm.ByName(volumeName(pool, l.Name()))); errors.Is(err, dm.ErrNotExist) {
			if err := os.Remove(filepath.Join(dir, l.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(dir)
}
