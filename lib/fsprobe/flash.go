package fsprobe

import "encoding/binary"

// probeF2FS: linux include/linux/f2fs_fs.h, struct f2fs_super_block.
func probeF2FS(i image) (*Result, error) {
	const offset = 1024
	b, err := i.at(offset, 124+1024)
	if b == nil || binary.LittleEndian.Uint32(b) != 0xf2f52010 {
		return nil, err
	}
	label := utf16Text(b[124:], binary.LittleEndian.Uint16)
	return &Result{Type: "f2fs", UUID: uuid(b[108:124]), Label: label}, nil
}

// probeErofs: linux fs/erofs/erofs_fs.h, struct erofs_super_block.
func probeErofs(i image) (*Result, error) {
	const offset = 1024
	b, err := i.at(offset, 128)
	if b == nil || binary.LittleEndian.Uint32(b) != 0xe0f5e1e2 {
		return nil, err
	}
	return &Result{Type: "erofs", UUID: uuid(b[48:64]), Label: text(b[64:80])}, nil
}

// probeSquashfs: linux fs/squashfs/squashfs_fs.h. Version 4 is little-endian;
// older ones no kernel of today mounts.
func probeSquashfs(i image) (*Result, error) {
	b, err := i.at(0, 96)
	if b == nil || string(b[:4]) != "hsqs" && string(b[:4]) != "sqsh" {
		return nil, err
	}
	if string(b[:4]) == "hsqs" && binary.LittleEndian.Uint16(b[28:]) == 4 {
		return &Result{Type: "squashfs"}, nil
	}
	return &Result{Type: "squashfs3"}, nil
}
