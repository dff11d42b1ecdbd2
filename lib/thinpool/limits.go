package thinpool

import (
	"errors"
	"fmt"

	"thinmount/lib/dm"
)

// Sizes of metadata, in bytes.
//
// The space map of the metadata itself has one block of indices, with room for
// 255 bitmaps, of 16320 blocks each (drivers/md/persistent-data,
// DM_SM_METADATA_MAX_BLOCKS). The kernel uses no more of a larger device, and
// says so in its log (drivers/md/dm-thin.c, warn_if_metadata_device_too_big).
const (
	MetadataBlock       = 4096
	MaxMetadata   int64 = 255 * 16320 * MetadataBlock // 15.8 GiB
	MinMetadata   int64 = 2 << 20                     // the least that the kernel formats
	usualMetadata int64 = 64 << 20
)

// MaxSize is the most (bytes) that a pool's data or a thin device may have: 4
// EiB. The kernel counts bytes in 63 bits (loff_t), and sizes are rounded up.
const MaxSize int64 = 1 << 62

// bitmapEntries is how many blocks of data one block of metadata counts the
// users of (drivers/md/persistent-data/dm-space-map-common.c: two bits for
// each, behind a header of 16 bytes).
const bitmapEntries = (MetadataBlock - 16) * 4

// ErrSize is a size that a pool or a thin device cannot have.
var ErrSize = errors.New("not a possible size")

// sizeError is ErrSize with a text of its own. It says which size, and which
// are possible.
type sizeError string

func (e sizeError) Error() string        { return string(e) }
func (e sizeError) Is(target error) bool { return target == ErrSize }

// CheckMetadataSize returns an ErrSize for a size (bytes) of metadata that the
// kernel refuses, or does not use in full.
func CheckMetadataSize(size int64) error {
	switch {
	case size > MaxMetadata:
		return sizeError(fmt.Sprintf("at most %v are possible", dm.Size(MaxMetadata)))
	case size < MinMetadata:
		return sizeError(fmt.Sprintf("%v is too little, the least is %v",
			dm.Size(size), dm.Size(MinMetadata)))
	}
	return nil
}

// CheckSize returns an ErrSize for a size (bytes) of data, or of a thin device,
// that is out of the kernel's range.
func CheckSize(size int64) error {
	if size > MaxSize {
		return sizeError(fmt.Sprintf("at most %v are possible", dm.Size(MaxSize)))
	}
	return nil
}

// CheckFit returns an ErrSize for metadata (bytes) that has no room even for
// the space map of so much data (bytes) in such blocks (sectors). The kernel
// finds that out while it formats the metadata, when what was on the devices is
// lost.
func CheckFit(data, metadata int64, block dm.Sectors) error {
	least := (data/max(block.Bytes(), 1)/bitmapEntries + 1) * MetadataBlock
	switch {
	case least > MaxMetadata:
		return sizeError(fmt.Sprintf(
			"%v of data in blocks of %v are more than a pool can count: take larger blocks",
			dm.Size(data), dm.Size(block.Bytes())))
	case least > metadata:
		return sizeError(fmt.Sprintf(
			"%v is too little for %v of data in blocks of %v, which take at least %v",
			dm.Size(metadata), dm.Size(data), dm.Size(block.Bytes()), dm.Size(least)))
	}
	return nil
}

// MetadataSize is a generous size (bytes) for the metadata of a pool of data
// bytes in blocks of block sectors, at least 64 MiB. It is 128 bytes for a
// block of data, twice what LVM takes: a pool whose metadata is full becomes
// read-only, and cannot even delete. The kernel's document names 48 bytes
// (thin-provisioning.rst), which is enough for a pool without snapshots. Each
// snapshot that is written to has nodes of its own.
func MetadataSize(data int64, block dm.Sectors) int64 {
	return max(usualMetadata, MetadataFor(data, block))
}

// MetadataFor is MetadataSize without the 64 MiB that a new pool gets at least.
// It is rounded up to whole blocks of 4096 bytes, and is MaxMetadata at most.
func MetadataFor(data int64, block dm.Sectors) int64 {
	blocks := data / max(block.Bytes(), 1)
	if blocks > MaxMetadata/128 {
		return MaxMetadata
	}
	return min((blocks*128+MetadataBlock-1)/MetadataBlock*MetadataBlock, MaxMetadata)
}
