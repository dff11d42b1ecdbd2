package pools

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// planDevice opens a block device exclusively and decides how much of it the
// pool uses. It refuses a device that another program uses, that is too small,
// or that carries anything else (unless want.Force is set). size is in bytes; 0
// takes the whole device. unit (bytes) is what the size is rounded down to. The
// caller closes the file, which is nil on error.
func planDevice(want PoolSpec, path string, size, unit int64) (catalog.Backing, *os.File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return catalog.Backing{}, nil, err
	}
	f, err := backing.ClaimDevice(path)
	if err != nil {
		return catalog.Backing{}, nil, err
	}
	b, err := fitDevice(want, f, size, unit)
	if err != nil {
		f.Close()
		return b, nil, err
	}
	return b, f, nil
}

// fitDevice is planDevice for a device that is open.
func fitDevice(want PoolSpec, f *os.File, size, unit int64) (catalog.Backing, error) {
	all, err := loop.Size(f)
	if err != nil {
		return catalog.Backing{}, err
	}
	if !want.Force {
		if err := backing.RefuseSignatures(f, all); err != nil {
			return catalog.Backing{}, err
		}
	}
	usable := (all - label.Reserved) / unit * unit
	if size == 0 {
		size = usable
	}
	if size = size / unit * unit; size > usable {
		return catalog.Backing{}, &fault.Error{
			Object: f.Name(),
			Err: fault.Errorf(fault.ErrUsage, "has room for %s, not for %s",
				fault.ExactSize(max(usable, 0)), fault.ExactSize(size)),
		}
	}
	return catalog.Backing{Kind: catalog.KindDevice, Path: f.Name(), Size: size}, nil
}

// checkPool fills in the defaults of want. The error is ErrUsage if a field has
// a value that no pool can have, or if two fields contradict each other.
func checkPool(want *PoolSpec) error {
	if err := spec.CheckPoolName(want.Name); err != nil {
		return fault.Wrap(fault.ErrUsage, err)
	}
	object := "pool " + want.Name
	usage := func(format string, args ...any) error {
		return &fault.Error{
			Object: object,
			Err:    fault.Errorf(fault.ErrUsage, format, args...),
			Remedy: fault.CreatePoolHelp{},
		}
	}
	if (want.DataDevice == "") != (want.MetadataDevice == "") {
		return usage("--data and --metadata go together")
	}
	if want.DataDevice != "" && want.Dir != "" {
		return usage("--dir is for a pool on files, --data for one on block devices")
	}
	if want.BlockSize == 0 {
		want.BlockSize = health.DefaultBlockSize
	}
	if want.BlockSize%dm.SectorSize != 0 {
		return usage("block size %s: it has to be a whole number of sectors of 512 bytes",
			fault.ExactSize(want.BlockSize))
	}
	if err := thinpool.CheckBlockSize(dm.Sectors(want.BlockSize / dm.SectorSize)); err != nil {
		return usage("%w", err)
	}
	if want.OnFull == "" {
		want.OnFull = spec.OnFullError
	}
	if !want.OnFull.Valid() {
		return usage("--on-full is error or queue, not %q", want.OnFull)
	}
	return checkSettings(object, Settings{Margin: want.Margin})
}

// plan decides the sizes and places of the pool's parts, and looks at what the
// devices carry. It writes nothing. The claims keep the devices open
// exclusively until the caller closes them.
func plan(s *host.System, want PoolSpec) (catalog.Pool, *backing.Claims, error) {
	id, err := newUUID()
	if err != nil {
		return catalog.Pool{}, nil, &fault.Error{Object: "pool " + want.Name, Err: err}
	}
	cfg := catalog.Pool{
		Name: want.Name, UUID: id,
		Created:   time.Now().UTC().Truncate(time.Second),
		BlockSize: uint64(want.BlockSize / dm.SectorSize), OnFull: want.OnFull, Margin: want.Margin,
		NextID: 1, Head: new(spec.ID),
		Intents: []catalog.Intent{{Op: catalog.OpCreatePool}},
	}
	claims := &backing.Claims{}
	if want.DataDevice == "" {
		err = planFiles(s, want, &cfg)
	} else {
		err = planDevices(want, &cfg, claims)
	}
	if err != nil {
		claims.Close()
	}
	return cfg, claims, err
}

// newUUID returns the uuid of a new pool. It asks the kernel: package
// crypto/rand would bring 130 KiB and its initialization into each helper, by
// way of package thin.
func newUUID() (string, error) {
	id := make([]byte, 16)
	// The kernel answers a request of this size in full (getrandom(2)).
	if _, err := unix.Getrandom(id, 0); err != nil {
		return "", os.NewSyscallError("getrandom", err)
	}
	return hex.EncodeToString(id), nil
}

// planFiles decides the sizes and paths of the parts of a pool in files.
func planFiles(s *host.System, want PoolSpec, cfg *catalog.Pool) error {
	dir := want.Dir
	if dir == "" {
		dir = filepath.Join(s.StateDir, want.Name)
	} else if abs, err := backing.BackingDir(s, dir); err != nil {
		return err
	} else {
		dir = abs
	}
	size, meta := want.Size, want.MetadataSize
	if size == 0 {
		var below health.Room
		if size, below = health.DefaultSize(dir, meta, want.BlockSize); size < health.LeastDefault {
			return &fault.Error{Object: "pool " + want.Name, Err: fault.Wrap(fault.ErrPoolState,
				fmt.Errorf("%s has %s left: %w",
					below.Mount(), fault.SizeText(below.Free), unix.ENOSPC)), Remedy: fault.Sayf(
				"make room, choose another folder with %v, or say how large it is to be: %v SIZE",
				fault.OptionDir, fault.OptionSize)}
		}
		if size < health.DefaultPoolSize {
			s.Warnf("pool %s: of %s, since %s has %s left (%v says another)",
				want.Name, fault.SizeText(size), below.Mount(), fault.SizeText(below.Free),
				fault.OptionSize)
		}
	}
	cfg.Data = catalog.Backing{
		Kind: catalog.KindFile,
		Path: filepath.Join(dir, "data"),
		Size: size / want.BlockSize * want.BlockSize,
	}
	if meta == 0 {
		meta = thinpool.MetadataSize(size, dm.Sectors(cfg.BlockSize))
	}
	cfg.Metadata = catalog.Backing{
		Kind: catalog.KindFile,
		Path: filepath.Join(dir, "metadata"),
		Size: meta / 4096 * 4096,
	}
	for _, b := range []catalog.Backing{cfg.Data, cfg.Metadata} {
		if _, err := os.Lstat(b.Path); err == nil {
			return &fault.Error{
				Object: b.Path,
				Err:    fault.Errorf(fault.ErrExists, "is there already"),
				Remedy: fault.Sayf(
					"it is not this pool's: move it away, or choose another folder with %v",
					fault.OptionDir),
			}
		}
	}
	return checkSizes(want, cfg)
}

// planDevices decides how much of its two devices a pool uses, and claims them.
func planDevices(want PoolSpec, cfg *catalog.Pool, claims *backing.Claims) error {
	if err := backing.RefuseShared(want.DataDevice, want.MetadataDevice); err != nil {
		return err
	}
	var err error
	if cfg.Data, claims.Data, err = planDevice(
		want, want.DataDevice, want.Size, want.BlockSize,
	); err != nil {
		return err
	}
	if cfg.Metadata, claims.Metadata, err = planDevice(
		want, want.MetadataDevice, want.MetadataSize, thinpool.MetadataBlock,
	); err != nil {
		return err
	}
	if want.MetadataSize == 0 {
		// The kernel uses no more of a larger device.
		cfg.Metadata.Size = min(cfg.Metadata.Size, thinpool.MaxMetadata)
	}
	return checkSizes(want, cfg)
}

// checkSizes refuses sizes that the kernel would refuse, or would not use in
// full. It also refuses data that has no block behind the head.
func checkSizes(want PoolSpec, cfg *catalog.Pool) error {
	usage := func(part string, err error) error {
		return &fault.Error{
			Object: "pool " + want.Name,
			Err:    fault.Wrap(fault.ErrUsage, fmt.Errorf("%s: %w", part, err)),
		}
	}
	if least := int64(engine.HeadBlocks(*cfg)+1) * want.BlockSize; cfg.Data.Size < least {
		return &fault.Error{
			Object: "pool " + want.Name,
			Err: fault.Errorf(fault.ErrUsage,
				"data: %s is less than %s, which is one block behind those that are kept free",
				fault.SizeText(cfg.Data.Size), fault.SizeText(least)),
		}
	}
	if err := thinpool.CheckSize(cfg.Data.Size); err != nil {
		return usage("data", err)
	}
	if err := thinpool.CheckMetadataSize(cfg.Metadata.Size); err != nil {
		return usage("metadata", err)
	}
	if err := thinpool.CheckFit(
		cfg.Data.Size, cfg.Metadata.Size, dm.Sectors(cfg.BlockSize),
	); err != nil {
		return usage("metadata", err)
	}
	return nil
}
