package label

import (
	"errors"
	"fmt"
	"io"

	"thinmount/lib/spec"
)

// Head is the header of each of the first blocks of a pool's data. These blocks
// belong to a thin device of which there is no volume. Otherwise they could be
// the first blocks of a volume, and blkid(8) would find that volume's
// filesystem on the pool's data device.
type Head struct {
	UUID  string  `json:"uuid"`  // the pool's
	ID    spec.ID `json:"id"`    // the thin device that has the block
	Block uint64  `json:"block"` // its number, in the pool's data and in that device
}

// HeadBytes is how much of the beginning of a pool's data is kept free of
// volumes, rounded up to whole blocks of the pool. blkid(8) and the kernel look
// for signatures at fixed distances from the beginning, and all of these are
// within it (btrfs at 64 KiB, UFS and ZFS up to 256 KiB).
const HeadBytes = 1 << 20

// headSize is the size (bytes) of a header, at the beginning of its block.
const headSize = blockSize

const headMagic = "thinmount head\r\n"

// Bytes is the header as it is on disk.
func (h Head) Bytes() ([]byte, error) { return encodeBlock(headMagic, h) }

// ReadHead reads the header at offset at (bytes) of r. The error is ErrNone,
// ErrDamaged, ErrOverwritten if another program has written behind the header,
// or that of reading.
func ReadHead(r io.ReaderAt, at int64) (Head, error) {
	b := make([]byte, headSize)
	if _, err := r.ReadAt(b, at); errors.Is(err, io.EOF) {
		return Head{}, ErrNone
	} else if err != nil {
		return Head{}, err
	}
	var h Head
	if err := decodeBlock(b, headMagic, &h); err != nil {
		return Head{}, fmt.Errorf("header of block at byte %d: %w", at, err)
	}
	return h, nil
}
