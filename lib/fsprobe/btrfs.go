package fsprobe

import (
	"encoding/binary"
	"hash/crc32"
)

// probeBtrfs: linux include/uapi/linux/btrfs_tree.h, struct btrfs_super_block.
// The checksum is looked at where it is crc32c.
func probeBtrfs(i image) (*Result, error) {
	const (
		offset = 65536
		crc32c = 0
	)
	b, err := i.at(offset, 4096)
	if b == nil || string(b[0x40:0x48]) != "_BHRfS_M" {
		return nil, err
	}
	le := binary.LittleEndian
	if le.Uint16(b[0xc4:]) == crc32c && le.Uint32(b) != crc32.Checksum(b[0x20:], crc32.MakeTable(crc32.Castagnoli)) {
		return nil, nil
	}
	return &Result{Type: "btrfs", UUID: uuid(b[0x20:0x30]), Label: text(b[0x12b : 0x12b+256])}, nil
}
