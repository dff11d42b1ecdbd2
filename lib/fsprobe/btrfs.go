package fsprobe

// probeBtrfs: linux include/uapi/linux/btrfs_tree.h, struct btrfs_super_block.
// The checksum is left to the kernel, as with ext4.
func probeBtrfs(i image) (*Result, error) {
	const offset = 65536
	b, err := i.at(offset, 4096)
	if b == nil || string(b[0x40:0x48]) != "_BHRfS_M" {
		return nil, err
	}
	return &Result{Type: "btrfs", UUID: uuid(b[0x20:0x30]), Label: text(b[0x12b : 0x12b+256])}, nil
}
