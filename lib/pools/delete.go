package pools

import (
	"context"
	"errors"
	"path/filepath"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
)

// deleteCopy removes the folder of a copied pool, with the data and metadata
// files in it. It does not touch files that the copied pool.json names in other
// folders: the original pool uses those.
func deleteCopy(
	ctx context.Context, s *host.System, name string, m *catalog.MisplacedError, withVolumes bool,
) error {
	lock, err := s.Refs().PoolLock(ctx, name, false)
	if err != nil {
		return fault.WaitError("pool "+name, err)
	}
	defer lock.Unlock()
	volumes, err := s.Catalogs().CopyVolumes(name)
	if err != nil {
		return &fault.Error{Object: "pool " + name, Err: err}
	}
	if len(volumes) > 0 && !withVolumes {
		return backing.HasVolumes(name, volumes)
	}
	s.Stepf("deleting %s, a copy of pool %s", m.Dir, m.Pool)
	files := []string{filepath.Join(m.Dir, "data"), filepath.Join(m.Dir, "metadata")}
	for _, path := range files {
		if err := registry.RefuseAttached(path); err != nil {
			return err
		}
	}
	for _, path := range files {
		if err := registry.RemoveCopied(s, path, m.UUID); err != nil {
			return &fault.Error{Object: "pool " + name, Err: err}
		}
	}
	if err := s.Catalogs().DestroyCopy(name); err != nil {
		return &fault.Error{Object: "pool " + name, Err: err}
	}
	return lock.Remove()
}

// DeletePool deletes a pool with its devices, its files and its catalog. It
// refuses a pool with volumes unless withVolumes is set. The error is ErrBusy
// if the pool is in use.
func DeletePool(ctx context.Context, s *host.System, name string, withVolumes bool) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := engine.OpenPool(ctx, s, c, name, engine.Exclusive)
		var m *catalog.MisplacedError
		if errors.Is(err, fault.ErrCopy) && errors.As(err, &m) {
			return deleteCopy(ctx, s, name, m, withVolumes)
		}
		if err != nil {
			return err
		}
		defer p.Close()
		volumes, err := p.Catalog.Volumes()
		if err != nil && !withVolumes {
			return registry.Corrupt("pool "+name, err)
		}
		if len(volumes) > 0 && !withVolumes {
			var names []string
			for _, v := range volumes {
				names = append(names, v.Name)
			}
			return backing.HasVolumes(name, names)
		}
		if err := p.RefuseShared(); err != nil {
			return err
		}
		if p.OwnsDevices() {
			if err := p.Deactivate(ctx); err != nil {
				return err
			}
		}
		warnUnreachable(p)
		s.Stepf("deleting pool %s", name)
		if err := p.Catalog.SetPool(func(c *catalog.Pool) {
			c.Intents = []catalog.Intent{{Op: catalog.OpDeletePool}}
		}); err != nil {
			return p.Wrap(err)
		}
		if err := p.ClearHalfMade(ctx); err != nil {
			return err
		}
		return p.Lock.Remove()
	})
}

// warnUnreachable warns of each disk or file of the pool that DeletePool cannot
// wipe, because it is absent or because another disk has its path.
func warnUnreachable(p *engine.Pool) {
	cfg := p.Catalog.Pool()
	if cfg.Data.Kind == catalog.KindDevice {
		if _, err := backing.FindBackings(cfg); err != nil {
			p.Sys.Warnf("%v: what is on its disks stays there", err)
			return
		}
	}
	for _, part := range []string{dmname.Data, dmname.Meta} {
		b := backing.BackingOf(cfg, part)
		what := ""
		switch {
		case b.Kind == catalog.KindDevice && p.OwnDevice(part) != "",
			b.Kind == catalog.KindFile && !backing.AbsentPath(b.Path):
			continue
		case backing.AbsentPath(b.Path):
			what = "is not there"
		default:
			what = "is another disk"
		}
		p.Sys.Warnf("pool %s: %s %s: what is on the pool's own %s %s stays there",
			p.Name(), b.Path, what, backing.LabelRole(part), b.Kind)
	}
}
