package fsprobe

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// probeXFS: linux fs/xfs/libxfs/xfs_format.h, struct xfs_dsb, big-endian.
// Version 5 has a checksum over the sector.
func probeXFS(i image) (*Result, error) {
	const crcAt = 224
	b, err := i.at(0, 512)
	if b == nil || string(b[:4]) != "XFSB" {
		return nil, err
	}
	be := binary.BigEndian
	block, sector := uint64(be.Uint32(b[4:])), uint64(be.Uint16(b[102:]))
	if !powerOfTwo(block) || block < 512 || block > 65536 || !powerOfTwo(sector) || sector < 512 || sector > 32768 {
		return nil, nil
	}
	if be.Uint16(b[100:])&0xf == 5 {
		whole, err := i.at(0, int(sector))
		if whole == nil {
			return nil, err
		}
		want := binary.LittleEndian.Uint32(whole[crcAt:])
		sum := slices.Clone(whole)
		clear(sum[crcAt : crcAt+4])
		if crc32.Checksum(sum, crc32.MakeTable(crc32.Castagnoli)) != want {
			return nil, nil
		}
	}
	return &Result{Type: "xfs", UUID: uuid(b[32:48]), Label: text(b[108:120])}, nil
}
