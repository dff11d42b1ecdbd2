package thinpool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"thinmount/lib/crc32c"
	"thinmount/lib/dm"
)

// Superblock is the first block of a pool's metadata
// (drivers/md/dm-thin-metadata.c, struct thin_disk_superblock). It has room for
// a uuid, which the kernel leaves zero: nothing in it tells two pools apart.
type Superblock struct {
	NeedsCheck     bool
	Version        uint32
	TransactionID  uint64
	HeldRoot       uint64
	DataBlocks     uint64 // blocks of the pool
	MetadataBlocks uint64 // blocks of 4096 bytes, as many as they have grown to
	BlockSize      dm.Sectors
	mappingRoot    uint64
	detailsRoot    uint64

	dataAllocated   uint64 // blocks in use, of DataBlocks
	dataBitmaps     uint64 // root of the index of the data's space map
	metadataBitmaps uint64 // the block of the index of the metadata's space map
}

// ErrUnformatted and ErrBadSuperblock are the errors of ReadSuperblock, besides
// those of reading.
var (
	ErrUnformatted   = errors.New("metadata is not formatted: its first block is zero")
	ErrBadSuperblock = errors.New("metadata has no valid superblock")
)

const (
	superblockMagic = 27022010 // THIN_SUPERBLOCK_MAGIC
	superblockSalt  = 160774   // SUPERBLOCK_CSUM_XOR
)

// ReadSuperblock reads and checks the superblock at the beginning of r. A first
// block of zeroes is ErrUnformatted: the kernel would format it, and so make an
// empty pool (drivers/md/dm-thin-metadata.c, __superblock_all_zeroes). Anything
// else that is no superblock is ErrBadSuperblock.
func ReadSuperblock(r io.ReaderAt) (Superblock, error) {
	buf, err := readBlock(r, 0, 0)
	if err != nil {
		return Superblock{}, err
	}
	return parseSuperblock(buf)
}

// parseSuperblock checks and reads a superblock (4096 bytes). The magic comes
// first: what has another one is something else, and not damaged metadata.
func parseSuperblock(b []byte) (Superblock, error) {
	if bytes.Equal(b, make([]byte, len(b))) {
		return Superblock{}, ErrUnformatted
	}
	le := binary.LittleEndian
	bad := func(format string, args ...any) (Superblock, error) {
		return Superblock{}, fmt.Errorf("%w: %s", ErrBadSuperblock, fmt.Sprintf(format, args...))
	}
	if magic := le.Uint64(b[32:]); magic != superblockMagic {
		return bad("magic is %d", magic)
	}
	if got, want := le.Uint32(b), checksum(b, superblockSalt); got != want {
		return bad("checksum is %#x, should be %#x", got, want)
	}
	// Bytes 0 csum, 4 flags, 8 block, 16 uuid, 32 magic, 40 version, 44 time,
	// 48 transaction id, 56 held root, 64 and 192 the roots of the space maps
	// of data and metadata, each of which begins with its number of blocks, the
	// number of those in use, and the root of its bitmaps.
	s := Superblock{
		NeedsCheck:    le.Uint32(b[4:])&1 != 0,
		Version:       le.Uint32(b[40:]),
		TransactionID: le.Uint64(b[48:]),
		HeldRoot:      le.Uint64(b[56:]),
		DataBlocks:    le.Uint64(b[64:]),
		// metadata_nr_blocks (344) keeps the size at which the metadata was
		// made. What it has grown to is in the root of its space map (struct
		// disk_sm_root).
		MetadataBlocks: max(le.Uint64(b[344:]), le.Uint64(b[192:])),
		BlockSize:      dm.Sectors(le.Uint32(b[336:])),
		mappingRoot:    le.Uint64(b[320:]),
		detailsRoot:    le.Uint64(b[328:]),

		dataAllocated:   le.Uint64(b[72:]),
		dataBitmaps:     le.Uint64(b[80:]),
		metadataBitmaps: le.Uint64(b[208:]),
	}
	if s.Version < 1 || s.Version > 2 {
		return bad("version is %d", s.Version)
	}
	return s, nil
}

// checksum is that of all metadata blocks: the crc32c of what follows it, xored
// with a number for each kind of block (persistent-data/dm-block-manager.c,
// dm_bm_checksum). The kernel begins with all bits set and does not invert the
// end, which crc32c.Sum does: hence the complement.
func checksum(b []byte, salt uint32) uint32 {
	return ^crc32c.Sum(b[4:]) ^ salt
}
