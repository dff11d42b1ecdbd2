package pools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"thinmount/lib/atomicfile"
	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// PoolSpec describes a new pool. The pool lies on two block devices, or in two
// sparse files in the folder Dir. All sizes are in bytes.
type PoolSpec struct {
	Name           string
	DataDevice     string      // block device, or "" for a file
	MetadataDevice string      // block device, or "" for a file
	Dir            string      // folder of the files; "" is the pool's folder in StateDir
	Size           int64       // of the data; 0: the whole device, or at most DefaultPoolSize
	MetadataSize   int64       // 0: the whole device, or what the data may need
	BlockSize      int64       // 0: DefaultBlockSize
	OnFull         spec.OnFull // "" is OnFullError
	Margin         *int        // percent that new volumes leave free; nil is 10
	Force          bool        // overwrite what is on the devices
}

// CreatePool makes a pool and activates it. If it fails, it removes everything
// that it has made. If its process is killed, the next command removes that.
func CreatePool(ctx context.Context, s *host.System, want PoolSpec) error {
	ctx, cancel := s.Waiting(ctx)
	defer cancel()
	if err := checkPool(&want); err != nil {
		return err
	}
	c, err := s.Kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.KernelHasThin(c); err != nil {
		return err
	}
	if err := errors.Join(refcount.CheckDir(s.StateDir), refcount.CheckDir(s.RunDir)); err != nil {
		return err
	}
	engine.ClearHalfMadeOthers(ctx, s, c)
	lock, err := s.Refs().PoolLock(ctx, want.Name, false)
	if err != nil {
		return fault.WaitError("pool "+want.Name, err)
	}
	defer lock.Unlock()
	if err := refusePool(ctx, s, c, want.Name); err != nil {
		return err
	}
	cfg, claims, err := plan(s, want)
	if err == nil {
		err = backing.RefuseTakenNames(c, cfg)
	}
	defer claims.Close()
	if err != nil {
		// No pool has this name, so no pool needs the lock file.
		return errors.Join(err, lock.Remove())
	}
	cat, err := s.Catalogs().Create(cfg)
	if err != nil {
		return &fault.Error{Object: "pool " + want.Name, Err: err}
	}
	p := &engine.Pool{
		Sys: s, DM: c, Catalog: cat, Lock: lock,
		Target: thinpool.New(c, dmname.PartUUID(cfg.UUID, dmname.Pool)),
	}
	if err := makePool(ctx, p, claims); err != nil {
		undo, cancel := s.Undoing(ctx)
		defer cancel()
		return errors.Join(p.Wrap(err), p.ClearHalfMade(undo), lock.Remove())
	}
	return nil
}

// refusePool returns an error if the name is taken. If a killed command left a
// half-made pool under this name, refusePool removes that pool and returns no
// error. The caller holds the pool's lock.
func refusePool(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	cat, err := s.Catalogs().Open(name)
	if errors.Is(err, catalog.ErrNoPool) {
		return registry.RefuseRest(s, name, fault.ErrExists)
	}
	var m *catalog.MisplacedError
	if errors.As(err, &m) {
		return registry.Misplaced(name, fault.ErrExists, m)
	}
	if err != nil {
		return registry.Corrupt("pool "+name, err)
	}
	p := &engine.Pool{
		Sys: s, DM: c, Catalog: cat,
		Target: thinpool.New(c, dmname.PartUUID(cat.Pool().UUID, dmname.Pool)),
	}
	if p.HalfMade() {
		return p.ClearHalfMade(ctx)
	}
	return &fault.Error{
		Object: "pool " + name,
		Err:    fault.Errorf(fault.ErrExists, "exists already"),
		Remedy: fault.ShowPool{Pool: name},
	}
}

// makePool makes the pool that the plan describes, and activates it. The
// catalog already has the plan, with an intent that says that the pool is being
// made; makePool drops this intent at the end. CreatePool has made all checks
// before, so that makePool changes no disk in vain.
func makePool(ctx context.Context, p *engine.Pool, claims *backing.Claims) error {
	cfg := p.Catalog.Pool()
	if err := makeBacking(ctx, p, cfg.Data, "data", claims); err != nil {
		return err
	}
	if err := makeBacking(ctx, p, cfg.Metadata, "metadata", claims); err != nil {
		return err
	}
	// The claims are exclusive opens. While they last, device-mapper could not
	// claim the same devices.
	claims.Close()
	p.Sys.Stepf("activating pool %s", cfg.Name)
	if err := p.Build(ctx, true); err != nil {
		return err
	}
	if err := p.MakeHead(ctx); err != nil {
		return err
	}
	if err := p.Target.Confirm(); err != nil {
		return err
	}
	health.WarnLargerThanBelow(p.Sys, cfg)
	warnLittleMetadata(p.Sys, cfg)
	return p.Catalog.SetPool(func(c *catalog.Pool) { c.Intents = nil })
}

// makeBacking makes the file, or wipes the device, and writes the label. It
// leaves zeros in the first block behind the label: by this the kernel knows
// that it has to format the metadata.
func makeBacking(
	ctx context.Context, p *engine.Pool, b catalog.Backing, role string, claims *backing.Claims,
) error {
	f, err := claims.Of(role), error(nil)
	if b.Kind == catalog.KindFile {
		if f, err = os.OpenFile(b.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		defer f.Close()
		err = p.MakeFile(ctx, f, b, role)
	} else {
		err = zeroEnds(f)
	}
	if err != nil {
		return err
	}
	cfg := p.Catalog.Pool()
	if err := label.Write(f, label.Label{
		Pool: cfg.Name, UUID: cfg.UUID, Role: role, BlockSize: cfg.BlockSize, Size: b.Size,
		Created: cfg.Created,
	}); err != nil {
		return fmt.Errorf("%s: %w", b.Path, err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if b.Kind != catalog.KindFile {
		return nil
	}
	return atomicfile.SyncDir(filepath.Dir(b.Path))
}

// zeroEnds wipes the first and the last MiB of a device, where filesystems,
// partition tables and RAID have their signatures. It also wipes the first MiB
// behind the label, in whose first block the kernel would find old metadata.
func zeroEnds(f *os.File) error {
	size, err := loop.Size(f)
	if err != nil {
		return err
	}
	zero := make([]byte, 1<<20)
	for _, at := range []int64{0, label.Reserved, max(0, size-1<<20)} {
		if _, err := f.WriteAt(zero[:min(int64(len(zero)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}
