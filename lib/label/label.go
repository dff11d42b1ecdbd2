// Package label reads and writes the header by which a pool recognizes its own
// disks. The kernel's format of metadata and data has no identity: without a
// label, an old copy, or the disk of another machine under the same name, would
// be taken for the pool's.
//
// The first Reserved bytes of a data or metadata device are the label's; one
// block of 4096 bytes at offset 0 is used:
//
//	 0  16  "thinmount pool\r\n"
//	16   4  version, 1
//	20   4  length of the payload, bytes
//	24   4  crc32c of version, length and payload
//	28   4  0
//	32      payload: JSON
//
// All numbers are little-endian.
package label

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"thinmount/lib/crc32c"
	"thinmount/lib/jsonfile"
)

// Reserved is the number of bytes at the beginning of a device that do not
// belong to the pool's data or metadata: 1 MiB, so that blocks stay aligned.
const Reserved = 1 << 20

// Label says to which pool a device belongs.
type Label struct {
	Pool      string    `json:"pool"` // name when the label was written
	UUID      string    `json:"uuid"`
	Role      string    `json:"role"`       // "data" or "metadata"
	BlockSize uint64    `json:"block_size"` // sectors of 512 bytes
	Size      int64     `json:"size"`       // bytes, after Reserved, when the label was written
	Created   time.Time `json:"created"`
}

const (
	magic      = "thinmount pool\r\n"
	version    = 1
	blockSize  = 4096
	payloadAt  = 32
	maxPayload = blockSize - payloadAt
	versionAt  = 16
	lengthAt   = 20
	checksumAt = 24
)

var (
	// ErrNone says that there is no label.
	ErrNone = errors.New("carries no label of a pool")
	// ErrDamaged says that there is a label that cannot be read in full.
	ErrDamaged = errors.New("label is damaged")
	// ErrOverwritten says that there is a label, and that another program has
	// written into the reserved bytes behind it. LVM, for example, has its own
	// label at byte 512.
	ErrOverwritten = errors.New("has the label of a pool, but belongs to none any more: " +
		"another program has written beside the label")
)

// Read reads the label at the beginning of r. A device that is too short has
// none. All other bytes within Reserved must be zero, as they were when the
// label was written: a program that takes the disk for its own leaves traces
// there (ErrOverwritten).
func Read(r io.ReaderAt) (Label, error) {
	b := make([]byte, blockSize)
	if _, err := r.ReadAt(b, 0); errors.Is(err, io.EOF) {
		return Label{}, ErrNone
	} else if err != nil {
		return Label{}, err
	}
	l, err := decode(b)
	if err != nil {
		return Label{}, err
	}
	if err := onlyZeroes(r); err != nil {
		return Label{}, err
	}
	return l, nil
}

// onlyZeroes checks the reserved bytes behind the label's block. A device may
// end there.
func onlyZeroes(r io.ReaderAt) error {
	b, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(blockSize); at < Reserved; at += int64(len(b)) {
		n, err := r.ReadAt(b[:min(int64(len(b)), Reserved-at)], at)
		if !bytes.Equal(b[:n], zero[:n]) {
			return ErrOverwritten
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func decode(b []byte) (Label, error) {
	var l Label
	if err := decodeBlock(b, magic, &l); err != nil {
		return Label{}, err
	}
	if l.Role != "data" && l.Role != "metadata" {
		return Label{}, fmt.Errorf("%w: role is %q", ErrDamaged, l.Role)
	}
	return l, nil
}

// decodeBlock reads the payload of a block that begins with magic.
func decodeBlock(b []byte, magic string, to any) error {
	if !bytes.HasPrefix(b, []byte(magic)) {
		return ErrNone
	}
	le := binary.LittleEndian
	if v := le.Uint32(b[versionAt:]); v != version {
		return fmt.Errorf("%w: version %d is unknown", ErrDamaged, v)
	}
	n := le.Uint32(b[lengthAt:])
	if n > maxPayload {
		return fmt.Errorf("%w: length is %d", ErrDamaged, n)
	}
	payload := b[payloadAt : payloadAt+int(n)]
	if le.Uint32(b[checksumAt:]) != checksum(b, payload) {
		return fmt.Errorf("%w: checksum does not match", ErrDamaged)
	}
	if reason := jsonfile.Decode(payload, to); reason != "" {
		return fmt.Errorf("%w: %s", ErrDamaged, reason)
	}
	if len(bytes.Trim(b[payloadAt+int(n):], "\x00")) > 0 {
		return ErrOverwritten
	}
	return nil
}

// checksum covers version, length and payload.
func checksum(b, payload []byte) uint32 {
	return crc32c.Update(crc32c.Sum(b[versionAt:checksumAt]), payload)
}

// Write writes the label at the beginning of w. It is on disk when the caller
// has synced.
func Write(w io.WriterAt, l Label) error {
	b, err := encodeBlock(magic, l)
	if err == nil {
		_, err = w.WriteAt(b, 0)
	}
	return err
}

// encodeBlock is the inverse of decodeBlock.
func encodeBlock(magic string, v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("label of %d bytes: at most %d", len(payload), maxPayload)
	}
	b := make([]byte, blockSize)
	copy(b, magic)
	le := binary.LittleEndian
	le.PutUint32(b[versionAt:], version)
	le.PutUint32(b[lengthAt:], uint32(len(payload)))
	copy(b[payloadAt:], payload)
	le.PutUint32(b[checksumAt:], checksum(b, payload))
	return b, nil
}

// Wipe overwrites the label with zeroes. They are on disk when the caller has
// synced.
func Wipe(w io.WriterAt) error {
	_, err := w.WriteAt(make([]byte, blockSize), 0)
	return err
}
