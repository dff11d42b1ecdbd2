package label

import (
	"errors"
	"fmt"
	"io"
)

// Head is the header of each of the first blocks of a pool's data. These blocks
// belong to a thin device that no volume has, so that no signature of a volume
// lies where programs look for those of the whole data device.
type Head struct {
	UUID  string `json:"uuid"`  // the pool's
	ID    uint32 `json:"id"`    // the thin device that has the block
	Block uint64 `json:"block"` // its number, in the pool's data and in that device
}

// HeadBytes is how much of a pool's data is kept free of volumes, rounded up to
// whole blocks of the pool: the signatures that blkid(8) and the kernel look
// for at a fixed distance from the beginning lie within it (those of btrfs at
// 64 KiB, of UFS and ZFS at 256 KiB).
const HeadBytes = 1 << 20

// headSize is the size (bytes) of a header, at the beginning of its block.
const headSize = blockSize

const headMagic = "thinmount head\r\n"

// Bytes is the header as it is written.
func (h Head) Bytes() ([]byte, error) { return encodeBlock(headMagic, h) }

// ReadHead reads the header at offset at (bytes) of r. The errors are ErrNone
// and ErrDamaged, and ErrForeign for a header beside which somebody has written.
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
