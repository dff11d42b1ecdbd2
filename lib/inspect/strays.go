package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// CheckStrays finds folders, devices, nodes, aliases, and files under RunDir
// that have names of a pool, and belong to no pool. It returns what two looks
// have found, and changes nothing.
func CheckStrays(ctx context.Context, s *host.System) (found []check.Finding, err error) {
	err = s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		first, err := lookForStrays(s, c)
		if err != nil || len(first) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settling):
		}
		second, err := lookForStrays(s, c)
		found = check.Shared(second, first)
		return err
	})
	return found, err
}

// RepairStrays repairs the findings of CheckStrays that the caller agreed to
// and that it finds again. It returns them, marks the repaired ones as done,
// and adds what a last look has found besides.
func RepairStrays(
	ctx context.Context, s *host.System, agreed []check.Finding,
) (left []check.Finding, err error) {
	err = s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		now, err := lookForStrays(s, c)
		if err != nil {
			return err
		}
		r := &repairs{sys: s, c: c}
		repairErr := r.do(ctx, check.Shared(now, agreed), atStrays)
		left, err = lookForStrays(s, c)
		return errors.Join(repairErr, err)
	})
	if err != nil {
		return nil, err
	}
	return check.Marked(agreed, left), nil
}

// lookForStrays looks once for what CheckStrays reports.
func lookForStrays(s *host.System, c *dm.Control) ([]check.Finding, error) {
	f := &check.Strays{Pools: map[string]string{}, Busy: map[string]bool{}}
	folders, err := s.Catalogs().Strays()
	if err != nil {
		return nil, err
	}
	f.Folders = folders
	if f.Entries, err = s.Refs().Entries(); err != nil {
		return nil, err
	}
	links, err := os.ReadDir(registry.AliasDir(s))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, l := range links {
		if spec.CheckPoolName(l.Name()) == nil {
			f.Aliases = append(f.Aliases, l.Name())
		}
	}
	if f.Nodes, err = c.StaleNodes(dmname.Prefix); err != nil {
		return nil, err
	}
	devices, err := c.List(dmname.UUIDPrefix)
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		f.Devices = append(f.Devices, dm.Info{Name: d.Name, UUID: d.UUID})
	}
	if err := lookPools(s, f); err != nil {
		return nil, err
	}
	return f.Findings(), nil
}

// lookPools lists the pools, and the pools whose lock another process holds. It
// must run after all other looks: then it lists a pool that was made since, and
// nothing of that pool counts as a stray.
func lookPools(s *host.System, f *check.Strays) error {
	for _, e := range f.Entries {
		if e.Kind == refcount.KindLock && e.Volume.Name == "" {
			free, err := s.Refs().IsFree(e.Volume)
			if err != nil {
				return err
			}
			f.Busy[e.Volume.Pool] = !free
		}
	}
	names, err := s.Catalogs().Pools()
	if err != nil {
		return err
	}
	for _, name := range names {
		f.Pools[name] = ""
		if cat, err := s.Catalogs().Open(name); err == nil {
			f.Pools[name] = cat.Pool().UUID
		}
	}
	return nil
}

// removeStray calls remove under the lock of the pool's name. While it holds
// this lock, no command can make a pool of this name. If another command holds
// the lock, it removes nothing, and the next check finds this again.
func removeStray(s *host.System, pool string, remove func() error) error {
	lock, err := s.Refs().TryPoolLock(pool, false)
	if errors.Is(err, filelock.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := s.Catalogs().Open(pool); !errors.Is(err, catalog.ErrNoPool) {
		return errors.Join(lock.Unlock(), err)
	}
	return errors.Join(remove(), lock.Remove())
}

// removeStrayEntry removes a file under RunDir of a volume of no pool, and the
// volume's lock file. The lock file of the pool itself goes as removeStray
// releases it.
func removeStrayEntry(s *host.System, e refcount.Entry) error {
	if e.Volume.Name == "" {
		return nil
	}
	ref, err := s.Refs().TryLock(e.Volume)
	if err != nil {
		return nil
	}
	return errors.Join(removeEntry(ref, e), ref.CloseRemove())
}

// dropAliases removes the aliases of a pool that does not exist, and their
// folder. It keeps an alias whose device exists.
func dropAliases(s *host.System, c *dm.Control, pool string) error {
	dir := filepath.Join(registry.AliasDir(s), pool)
	links, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, l := range links {
		if _, err := c.Info(
			dm.ByName(dmname.Volume(spec.Volume{Pool: pool, Name: l.Name()})),
		); errors.Is(err, dm.ErrNotExist) {
			if err := os.Remove(filepath.Join(dir, l.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(dir)
}
