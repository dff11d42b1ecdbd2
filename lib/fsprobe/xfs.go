package fsprobe

import "encoding/binary"

// probeXFS: linux fs/xfs/libxfs/xfs_format.h, struct xfs_dsb, big-endian.
// The checksum of version 5 is left to the kernel, as with ext4.
func probeXFS(i image) (*Result, error) {
	b, err := i.at(0, 512)
	if b == nil || string(b[:4]) != "XFSB" {
		return nil, err
	}
	be := binary.BigEndian
	block, sector := uint64(be.Uint32(b[4:])), uint64(be.Uint16(b[102:]))
	if !powerOfTwo(block) || block < 512 || block > 65536 ||
		!powerOfTwo(sector) || sector < 512 || sector > 32768 {
		return nil, nil
	}
	return &Result{Type: "xfs", UUID: uuid(b[32:48]), Label: text(b[108:120])}, nil
}
