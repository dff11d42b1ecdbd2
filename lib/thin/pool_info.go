package thin

import (
	"context"
	"errors"
	"io"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// PoolInfo is what pool list and pool show tell. Sizes are bytes; a use that is
// not known is -1.
type PoolInfo struct {
	Name, UUID    string
	State         string // inactive, rw, ro, out_of_data_space, fail, suspended
	NeedsCheck    bool
	Trouble       string // what is wrong with it; "" is nothing
	Hint          string // the way out of that
	Margin        int    // percent that new volumes leave free
	DataSize      int64
	DataUsed      int64
	MetadataSize  int64
	MetadataUsed  int64
	BlockSize     int64
	Volumes       int
	Provisioned   int64  // the sum of the volumes' sizes
	BelowFree     int64  // what the filesystem below the pool's files has left; -1 of a pool on devices
	Data          string // path of the file or device
	Metadata      string
	OnFull        string
	FreezeLimit   time.Duration // how long a snapshot may keep its origin suspended
	TransactionID uint64
	Created       time.Time
}

// Pools lists all pools by name. With an error come the pools that could be
// read.
func (s *System) Pools(ctx context.Context) ([]PoolInfo, error) {
	names, err := s.catalogs().Pools()
	if err != nil {
		return nil, err
	}
	var all []PoolInfo
	var errs []error
	for _, name := range names {
		info, err := s.Pool(ctx, name)
		if s.skipMisplaced(err) || errors.Is(err, ErrNotFound) {
			continue // half made, or deleted meanwhile
		}
		if err == nil || info.Name != "" {
			all = append(all, info)
		}
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// PoolNames lists all pools, those that are half made or cannot be read, too.
func (s *System) PoolNames(context.Context) ([]string, error) { return s.catalogs().Pools() }

// Pool tells of one pool.
func (s *System) Pool(ctx context.Context, name string) (PoolInfo, error) {
	if err := catalog.CheckPoolName(name); err != nil {
		return PoolInfo{}, wrap(ErrUsage, err)
	}
	c, err := s.kernel()
	if err != nil {
		return PoolInfo{}, err
	}
	defer c.Close()
	cat, err := s.openCatalog(name)
	if err != nil {
		return PoolInfo{}, err
	}
	cfg := cat.Pool()
	if _, incomplete := cfg.Incomplete(); incomplete {
		return PoolInfo{}, noPool(name)
	}
	volumes, err := cat.Volumes()
	info := PoolInfo{
		Name: cfg.Name, UUID: cfg.UUID, State: "inactive", BlockSize: int64(cfg.BlockSize) * dm.SectorSize,
		DataSize: cfg.Data.Size, DataUsed: -1, MetadataSize: cfg.Metadata.Size, MetadataUsed: -1,
		Volumes: len(volumes), Provisioned: provisioned(volumes), BelowFree: -1, Data: cfg.Data.Path, Metadata: cfg.Metadata.Path, OnFull: cfg.OnFull,
		TransactionID: cfg.TransactionID, Created: cfg.Created, Margin: cfg.FreeMargin(),
		FreezeLimit: cfg.FreezeLimit(),
	}
	if r := roomBelow(cfg); r.total > 0 {
		info.BelowFree = r.free
	}
	if err != nil {
		err = corrupt("pool "+name, err)
	}
	return info, errors.Join(err, info.ask(c, cfg))
}

// ask fills in what the kernel knows of the pool.
func (i *PoolInfo) ask(c *dm.Control, cfg catalog.Pool) error {
	if other := activeCopy(c, cfg); other != nil && !other.renamed {
		i.Trouble, i.Hint = other.err.Err.Error(), other.err.Hint
		return nil
	}
	names := suspended(c, cfg.UUID)
	if len(names) > 0 { // by a grow, for a moment?
		time.Sleep(50 * time.Millisecond)
		names = suspended(c, cfg.UUID)
	}
	if len(names) > 0 {
		i.State, i.Trouble, i.Hint = "suspended", suspendedText(names), resumeHint(cfg.Name)
		return nil
	}
	st, err := thinpool.New(c, partUUID(cfg.UUID, partPool)).Status()
	switch {
	case errors.Is(err, dm.ErrNotExist):
		i.askDisk(cfg)
		i.askRoom(cfg)
		return nil
	case err != nil && foreign(c, dm.ByUUID(partUUID(cfg.UUID, partPool))):
		i.State, i.Trouble, i.Hint = "fail", foreignText, foreignHint
		return nil
	case err != nil:
		return &Error{Object: "pool " + cfg.Name, Err: err}
	}
	i.State, i.NeedsCheck = string(st.Mode), st.NeedsCheck
	i.Trouble, i.Hint = trouble(cfg, st, roomBelow(cfg))
	if st.MetaTotal > 0 {
		i.DataUsed = int64(st.DataUsed) * i.BlockSize
		i.MetadataUsed = int64(st.MetaUsed) * thinpool.MetadataBlock
	}
	return nil
}

// askRoom looks whether the filesystem below an inactive pool's files is full.
func (i *PoolInfo) askRoom(cfg catalog.Pool) {
	r := roomBelow(cfg)
	if full := r.full(cfg, thinpool.Status{}); full != "" && i.Trouble == "" && r.allocated < cfg.Data.Size {
		i.Trouble, i.Hint = full+": writes that need room would fail", r.hint()
	}
}

// askDisk looks whether the metadata of an inactive pool would keep it from
// being activated. What cannot be read says so when it is.
func (i *PoolInfo) askDisk(cfg catalog.Pool) {
	for _, part := range []string{partMeta, partData} {
		if b := backingOf(cfg, part); !carriesPart(cfg, part, b.Path) {
			i.Trouble, i.Hint = notAtPath(part, b), notAtPathHint(cfg.Name, b)
		}
	}
	if i.Trouble != "" {
		return
	}
	f, err := openDirect(cfg.Metadata.Path)
	if err != nil {
		return
	}
	defer f.Close()
	sb, err := thinpool.ReadSuperblock(io.NewSectionReader(f, label.Reserved, thinpool.MetadataBlock))
	if err == nil && sb.NeedsCheck {
		i.NeedsCheck, i.Trouble, i.Hint = true, "its metadata needs a check", repairCommand(cfg)
	}
}
