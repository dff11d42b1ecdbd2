package fsprobe

import "encoding/binary"

// probeExt tells ext2, ext3, ext4 and an external journal apart by what each
// driver can do (linux: fs/ext4/ext4.h; e2fsprogs: lib/ext2fs/ext2_fs.h). The
// checksum is left to the kernel, which says what is wrong: to find nothing
// would mean to advise a new filesystem.
func probeExt(i image) (*Result, error) {
	const (
		offset = 1024
		magic  = 0xef53

		hasJournal = 0x4 // compat
		journalDev = 0x8 // incompat

		incompatExt2 = 0x2 | 0x10       // filetype, meta_bg
		incompatExt3 = 0x2 | 0x4 | 0x10 // and recover
		roExt3       = 0x1 | 0x2 | 0x4  // sparse_super, large_file, btree_dir
	)
	b, err := i.at(offset, 1024)
	if b == nil {
		return nil, err
	}
	le := binary.LittleEndian
	compat, incompat, ro := le.Uint32(b[0x5c:]), le.Uint32(b[0x60:]), le.Uint32(b[0x64:])
	if le.Uint16(b[0x38:]) != magic {
		return nil, nil
	}
	r := &Result{UUID: uuid(b[0x68:0x78]), Label: text(b[0x78:0x88])}
	switch {
	case incompat&journalDev != 0:
		r.Type, r.Kind = "jbd", Container
	case ro&^uint32(roExt3) != 0 || incompat&^uint32(incompatExt3) != 0:
		r.Type = "ext4"
	case compat&hasJournal != 0:
		r.Type = "ext3"
	case incompat&^uint32(incompatExt2) == 0:
		r.Type = "ext2"
	default:
		return nil, nil
	}
	return r, nil
}
