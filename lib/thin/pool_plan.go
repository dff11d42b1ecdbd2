package thin

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// checkPool fills in the defaults and refuses what cannot be.
func checkPool(spec *PoolSpec) error {
	if err := catalog.CheckPoolName(spec.Name); err != nil {
		return wrap(ErrUsage, err)
	}
	object := "pool " + spec.Name
	usage := func(format string, args ...any) error {
		return &Error{Object: object, Err: reason(ErrUsage, format, args...), Hint: "thin-snap pool create --help"}
	}
	if (spec.DataDevice == "") != (spec.MetadataDevice == "") {
		return usage("--data and --metadata go together")
	}
	if spec.DataDevice != "" && spec.Dir != "" {
		return usage("--dir is for a pool on files, --data for one on block devices")
	}
	if spec.BlockSize == 0 {
		spec.BlockSize = DefaultBlockSize
	}
	if spec.BlockSize%dm.SectorSize != 0 {
		return usage("block size %s: it has to be a whole number of sectors of 512 bytes", exactSize(spec.BlockSize))
	}
	if err := thinpool.CheckBlockSize(dm.Sectors(spec.BlockSize / dm.SectorSize)); err != nil {
		return usage("%w", err)
	}
	if spec.OnFull == "" {
		spec.OnFull = "error"
	}
	if spec.OnFull != "error" && spec.OnFull != "queue" {
		return usage("--on-full is error or queue, not %q", spec.OnFull)
	}
	return checkSettings(object, Settings{Margin: spec.Margin})
}

// plan decides sizes and places, and looks at what devices carry. It writes
// nothing. The caller closes the claim, which holds the devices.
func (s *System) plan(spec PoolSpec) (catalog.Pool, *claims, error) {
	id := make([]byte, 16)
	rand.Read(id)
	cfg := catalog.Pool{
		Name: spec.Name, UUID: hex.EncodeToString(id), Created: time.Now().UTC().Truncate(time.Second),
		BlockSize: uint64(spec.BlockSize / dm.SectorSize), OnFull: spec.OnFull, Margin: spec.Margin, NextID: 1, Head: new(uint32),
		Operations: []catalog.Operation{{Op: catalog.OpCreatePool}},
	}
	held := &claims{}
	var err error
	if spec.DataDevice == "" {
		err = s.planFiles(spec, &cfg)
	} else {
		err = planDevices(spec, &cfg, held)
	}
	if err != nil {
		held.Close()
	}
	return cfg, held, err
}

func (s *System) planFiles(spec PoolSpec, cfg *catalog.Pool) error {
	dir := spec.Dir
	if dir == "" {
		dir = filepath.Join(s.StateDir, spec.Name)
	} else if abs, err := s.backingDir(dir); err != nil {
		return err
	} else {
		dir = abs
	}
	size, meta := spec.Size, spec.MetadataSize
	if size == 0 {
		var below room
		if size, below = defaultSize(dir, meta, spec.BlockSize); size < leastDefault {
			return &Error{Object: "pool " + spec.Name, Err: wrap(ErrPoolState, fmt.Errorf("%s has %s left: %w", below.mount(), sizeText(below.free), unix.ENOSPC)),
				Hint: "make room, choose another folder with --dir, or say how large it is to be: --size SIZE"}
		}
		if size < DefaultPoolSize {
			s.warn("pool %s: of %s, since %s has %s left (--size says another)", spec.Name, sizeText(size), below.mount(), sizeText(below.free))
		}
	}
	cfg.Data = catalog.Backing{Kind: catalog.KindFile, Path: filepath.Join(dir, "data"), Size: size / spec.BlockSize * spec.BlockSize}
	if meta == 0 {
		meta = thinpool.MetadataSize(size, dm.Sectors(cfg.BlockSize))
	}
	cfg.Metadata = catalog.Backing{Kind: catalog.KindFile, Path: filepath.Join(dir, "metadata"), Size: meta / 4096 * 4096}
	for _, b := range []catalog.Backing{cfg.Data, cfg.Metadata} {
		if _, err := os.Lstat(b.Path); err == nil {
			return &Error{Object: b.Path, Err: reason(ErrExists, "is there already"), Hint: "it is not this pool's: move it away, or choose another folder with --dir"}
		}
	}
	return checkSizes(spec, cfg)
}

func planDevices(spec PoolSpec, cfg *catalog.Pool, held *claims) error {
	if err := refuseShared(spec.DataDevice, spec.MetadataDevice); err != nil {
		return err
	}
	var err error
	if cfg.Data, held.data, err = planDevice(spec, spec.DataDevice, spec.Size, spec.BlockSize); err != nil {
		return err
	}
	if cfg.Metadata, held.metadata, err = planDevice(spec, spec.MetadataDevice, spec.MetadataSize, thinpool.MetadataBlock); err != nil {
		return err
	}
	if spec.MetadataSize == 0 { // as much of the device as is of use
		cfg.Metadata.Size = min(cfg.Metadata.Size, thinpool.MaxMetadata)
	}
	return checkSizes(spec, cfg)
}

// checkSizes refuses a pool that the kernel would refuse, or not use in full.
func checkSizes(spec PoolSpec, cfg *catalog.Pool) error {
	usage := func(part string, err error) error {
		return &Error{Object: "pool " + spec.Name, Err: wrap(ErrUsage, fmt.Errorf("%s: %w", part, err))}
	}
	if least := int64(headBlocks(*cfg)+1) * spec.BlockSize; cfg.Data.Size < least {
		return &Error{Object: "pool " + spec.Name, Err: reason(ErrUsage, "data: %s is less than %s, which is one block behind those that are kept free",
			sizeText(cfg.Data.Size), sizeText(least))}
	}
	if err := thinpool.CheckSize(cfg.Data.Size); err != nil {
		return usage("data", err)
	}
	if err := thinpool.CheckMetadataSize(cfg.Metadata.Size); err != nil {
		return usage("metadata", err)
	}
	if err := thinpool.CheckFit(cfg.Data.Size, cfg.Metadata.Size, dm.Sectors(cfg.BlockSize)); err != nil {
		return usage("metadata", err)
	}
	return nil
}
