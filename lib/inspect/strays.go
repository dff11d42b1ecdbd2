package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
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
		found = slices.DeleteFunc(second,
			func(d check.Finding) bool { return !check.Contains(first, d) })
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
		var errs []error
		for _, d := range now {
			if d.Repair != "" && check.Contains(agreed, d) {
				errs = append(errs, repairStray(s, c, d))
			}
		}
		left, err = lookForStrays(s, c)
		return errors.Join(append(errs, err)...)
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
		if catalog.CheckPoolName(l.Name()) == nil {
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
		if e.Kind == refcount.KindLock && e.Volume == "" {
			free, err := s.Refs().IsFree(e.Pool, "")
			if err != nil {
				return err
			}
			f.Busy[e.Pool] = !free
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

// repairStray repairs one finding under the lock of the pool's name. While it
// holds this lock, no command can make a pool of this name. If another command
// holds the lock, it repairs nothing, and the next check finds this again.
func repairStray(s *host.System, c *dm.Control, d check.Finding) error {
	lock, err := s.Refs().TryPoolLock(d.Pool, false)
	if errors.Is(err, filelock.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := s.Catalogs().Open(d.Pool); !errors.Is(err, catalog.ErrNoPool) {
		return errors.Join(lock.Unlock(), err)
	}
	s.Stepf("%s: %s", d.Object, d.Repair)
	switch {
	case d.Kind == check.KindFolder:
		err = s.Catalogs().RemoveStray(d.Pool)
	case d.Kind == check.KindNode:
		err = c.DropStaleNode(d.Node)
	case d.Kind == check.KindAlias:
		err = dropAliases(s, c, d.Pool)
	case d.Volume != "":
		err = repairStrayFile(s, d)
	}
	return errors.Join(err, lock.Remove())
}

// repairStrayFile removes a file under RunDir that belongs to a volume of no
// pool.
func repairStrayFile(s *host.System, d check.Finding) error {
	ref, err := s.Refs().TryLock(d.Pool, d.Volume)
	if err != nil {
		return nil
	}
	switch d.Kind {
	case check.KindTemp:
		err = ref.DropTemp(d.Entry)
	case check.KindRecord:
		err = ref.Clear()
	}
	return errors.Join(err, ref.CloseRemove())
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
			dm.ByName(dmname.Volume(pool, l.Name())),
		); errors.Is(err, dm.ErrNotExist) {
			if err := os.Remove(filepath.Join(dir, l.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(dir)
}
