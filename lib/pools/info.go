package pools

import (
	"context"
	"errors"
	"io"
	"time"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// PoolInfo is what "pool list" and "pool show" print about a pool. Sizes are in
// bytes. A size that is not known is -1.
type PoolInfo struct {
	Name, UUID    string
	State         string // inactive, rw, ro, out_of_data_space, fail, suspended
	NeedsCheck    bool
	Trouble       string       // what is wrong with the pool; "" is nothing
	Remedy        fault.Remedy // what helps against Trouble
	Margin        int          // percent that new volumes leave free
	DataSize      int64
	DataUsed      int64
	MetadataSize  int64
	MetadataUsed  int64
	BlockSize     int64
	Volumes       int
	Provisioned   int64  // the sum of the volumes' sizes
	BelowFree     int64  // free in the filesystem that has the pool's files; -1 on devices
	Data          string // path of the file or device
	Metadata      string
	OnFull        spec.OnFull
	FreezeLimit   time.Duration // how long a snapshot may keep its origin suspended
	TransactionID uint64
	Created       time.Time
}

// Pools lists all pools, sorted by name. If some pools cannot be read, it
// returns the others together with the error.
func Pools(ctx context.Context, s *host.System) ([]PoolInfo, error) {
	names, err := s.Catalogs().Pools()
	if err != nil {
		return nil, err
	}
	var all []PoolInfo
	var errs []error
	for _, name := range names {
		info, err := Pool(ctx, s, name)
		if registry.SkipMisplaced(s, err) || errors.Is(err, fault.ErrNotFound) {
			// The pool is half made, or another command has deleted it since.
			continue
		}
		if err == nil || info.Name != "" {
			all = append(all, info)
		}
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// PoolNames lists the names of all pools, also of those that are half made or
// cannot be read.
func PoolNames(_ context.Context, s *host.System) ([]string, error) { return s.Catalogs().Pools() }

// Pool returns what is known about one pool. If only a part of it cannot be
// read, the result has the rest, together with the error.
func Pool(ctx context.Context, s *host.System, name string) (PoolInfo, error) {
	if err := spec.CheckPoolName(name); err != nil {
		return PoolInfo{}, fault.Wrap(fault.ErrUsage, err)
	}
	c, err := s.Kernel()
	if err != nil {
		return PoolInfo{}, err
	}
	defer c.Close()
	cat, err := registry.OpenCatalog(s, name)
	if err != nil {
		return PoolInfo{}, err
	}
	cfg := cat.Pool()
	if _, incomplete := cfg.Incomplete(); incomplete {
		return PoolInfo{}, registry.NoPool(name)
	}
	volumes, err := cat.Volumes()
	info := PoolInfo{
		Name: cfg.Name, UUID: cfg.UUID,
		State: "inactive", BlockSize: int64(cfg.BlockSize) * dm.SectorSize,
		DataSize: cfg.Data.Size, DataUsed: -1, MetadataSize: cfg.Metadata.Size, MetadataUsed: -1,
		Volumes: len(volumes), Provisioned: health.Provisioned(volumes), BelowFree: -1,
		Data: cfg.Data.Path, Metadata: cfg.Metadata.Path, OnFull: cfg.OnFull,
		TransactionID: cfg.TransactionID, Created: cfg.Created, Margin: cfg.FreeMargin(),
		FreezeLimit: cfg.FreezeLimit(),
	}
	if r := health.RoomBelow(cfg); r.Total > 0 {
		info.BelowFree = r.Free
	}
	if err != nil {
		err = registry.Corrupt("pool "+name, err)
	}
	return info, errors.Join(err, info.ask(c, cfg))
}

// ask fills in what the kernel knows about the pool. It does not ask a
// suspended pool for its status, since that would hang.
func (i *PoolInfo) ask(c *dm.Control, cfg catalog.Pool) error {
	if other := backing.ActiveCopy(c, cfg); other != nil && !other.Renamed {
		i.Trouble, i.Remedy = other.Err.Err.Error(), other.Err.Remedy
		return nil
	}
	names := health.Suspended(c, cfg.UUID)
	// A grow suspends the devices for a moment: look again a moment later.
	if len(names) > 0 {
		time.Sleep(50 * time.Millisecond)
		names = health.Suspended(c, cfg.UUID)
	}
	if len(names) > 0 {
		i.State, i.Trouble, i.Remedy =
			"suspended", health.SuspendedText(names), health.ResumeRemedy(cfg.Name)
		return nil
	}
	st, err := thinpool.New(c, dmname.PartUUID(cfg.UUID, dmname.Pool)).Status()
	switch {
	case errors.Is(err, dm.ErrNotExist):
		i.AskDisk(cfg)
		i.askRoom(cfg)
		return nil
	case err != nil && health.LostTable(c, dm.ByUUID(dmname.PartUUID(cfg.UUID, dmname.Pool))):
		i.State, i.Trouble, i.Remedy = "fail", health.LostTableText, health.LostTableRemedy
		return nil
	case err != nil:
		return &fault.Error{Object: "pool " + cfg.Name, Err: err}
	}
	i.State, i.NeedsCheck = string(st.Mode), st.NeedsCheck
	i.Trouble, i.Remedy = health.Trouble(cfg, st, health.RoomBelow(cfg))
	if st.MetaTotal > 0 {
		i.DataUsed = int64(st.DataUsed) * i.BlockSize
		i.MetadataUsed = int64(st.MetaUsed) * thinpool.MetadataBlock
	}
	return nil
}

// askRoom fills in Trouble if the pool is inactive and the filesystem that has
// its files is full.
func (i *PoolInfo) askRoom(cfg catalog.Pool) {
	r := health.RoomBelow(cfg)
	if full := r.Full(cfg, thinpool.Status{}); full != "" && i.Trouble == "" &&
		r.Allocated < cfg.Data.Size {
		i.Trouble, i.Remedy = full+": writes that need room would fail", r.Remedy()
	}
}

// AskDisk looks at the disks or files of an inactive pool. It fills in Trouble
// if a part is not at its path, or if the metadata needs a check. It says
// nothing about metadata that cannot be read: activating the pool reports that.
func (i *PoolInfo) AskDisk(cfg catalog.Pool) {
	for _, part := range []string{dmname.Meta, dmname.Data} {
		if b := backing.BackingOf(cfg, part); !backing.CarriesPart(cfg, part, b.Path) {
			i.Trouble, i.Remedy = backing.NotAtPath(part, b), backing.NotAtPathRemedy(cfg.Name, b)
		}
	}
	if i.Trouble != "" {
		return
	}
	f, err := host.OpenDirect(cfg.Metadata.Path)
	if err != nil {
		return
	}
	defer f.Close()
	sb, err := thinpool.ReadSuperblock(
		io.NewSectionReader(f, label.Reserved, thinpool.MetadataBlock))
	if err == nil && sb.NeedsCheck {
		i.NeedsCheck, i.Trouble, i.Remedy =
			true, "its metadata needs a check", fault.RepairPool{Pool: cfg.Name}
	}
}
