package fsprobe

import (
	"encoding/binary"
	"slices"
)

// format is a format of which only the name is told. thinmount neither makes
// nor mounts it, but must not overwrite it unasked.
type format struct {
	name   string
	kind   Kind
	at     []int64 // where the superblock may begin; from the end where negative
	off    int     // of the magic in it
	magics []string
	fits   func([]byte) bool // checks more of the superblock, where the magic is short
}

// Sources: stratis, "Stratis software design", static header; linux
// drivers/md/bcache/bcache_ondisk.h and fs/bcachefs/bcachefs_format.h; ceph
// src/os/bluestore/bluestore_types.h; drbd-utils user/shared/drbdmeta.c; LVM1
// tools/lib/lvm.h; linux fs/jfs/jfs_superblock.h, fs/reiserfs/reiserfs.h,
// fs/hfsplus/hfsplus_raw.h, fs/hfs/hfs.h and
// include/uapi/linux/nilfs2_ondisk.h; Apple, "Apple File System Reference".
var formats = []format{
	{"stratis", Container, []int64{512, 9 * 512}, 4, []string{"!Stra0tis\x86\xff\x02^\x41rh"}, nil},
	{"bcache", Container, []int64{4096}, 24,
		[]string{"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"}, nil},
	{"ceph_bluestore", Container, []int64{0}, 0, []string{"bluestore block device"}, nil},
	{"drbd", Container, []int64{-4096}, 60,
		[]string{"\x83\x74\x02\x6b", "\x83\x74\x02\x6c", "\x83\x74\x02\x6d"}, fitsDRBD},
	{"LVM1_member", Container, []int64{0}, 0, []string{"HM\x01\x00", "HM\x02\x00"}, fitsLVM1},
	{"bcachefs", Named, []int64{4096}, 24,
		[]string{"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"}, nil},
	{"jfs", Named, []int64{32768}, 0, []string{"JFS1"}, fitsJFS},
	{"reiserfs", Named, []int64{65536, 8192, 8192 - 32}, 52,
		[]string{"ReIsErFs", "ReIsEr2Fs", "ReIsEr3Fs"}, nil},
	{"reiser4", Named, []int64{65536}, 0, []string{"ReIsEr4"}, nil},
	{"nilfs2", Named, []int64{1024}, 6, []string{"\x34\x34"}, fitsNilfs},
	{"hfsplus", Named, []int64{1024}, 0, []string{"H+\x00\x04", "HX\x00\x05"}, fitsHFSPlus},
	{"hfs", Named, []int64{1024}, 0, []string{"BD"}, fitsHFS},
	{"apfs", Named, []int64{0}, 32, []string{"NXSB"}, fitsAPFS},
}

// probe looks for the magic at each place.
func (f format) probe(i image) (*Result, error) {
	for _, at := range f.at {
		if at < 0 {
			at += i.size
		}
		b, err := i.at(at, 512)
		if err != nil {
			return nil, err
		}
		if b != nil && f.matches(b) {
			return &Result{Type: f.name, Kind: f.kind}, nil
		}
	}
	return nil, nil
}

func (f format) matches(b []byte) bool {
	begins := func(magic string) bool { return string(b[f.off:f.off+len(magic)]) == magic }
	return slices.ContainsFunc(f.magics, begins) && (f.fits == nil || f.fits(b))
}

// fitsDRBD wants a size of the metadata, in sectors.
func fitsDRBD(b []byte) bool { return !zero(b[64:68]) }

// fitsLVM1 wants the disk's UUID.
func fitsLVM1(b []byte) bool { return plain(text(b[44:172])) != "" }

// fitsJFS wants the size of a block, and its logarithm.
func fitsJFS(b []byte) bool {
	log := binary.LittleEndian.Uint16(b[20:])
	return log < 32 && binary.LittleEndian.Uint32(b[16:]) == 1<<log
}

// fitsNilfs wants the revision, the superblock's size, and the logarithm of a
// block's size in KiB.
func fitsNilfs(b []byte) bool {
	le := binary.LittleEndian
	size := le.Uint16(b[8:])
	return le.Uint32(b) == 2 && size >= 64 && size <= 1024 && le.Uint32(b[20:]) <= 6
}

// fitsHFSPlus wants a possible size of a block.
func fitsHFSPlus(b []byte) bool {
	size := binary.BigEndian.Uint32(b[40:])
	return size >= 512 && powerOfTwo(uint64(size))
}

// fitsHFS wants a possible size of a block, and a number of blocks. An HFS that
// wraps an HFS+ has both, too.
func fitsHFS(b []byte) bool {
	size := binary.BigEndian.Uint32(b[20:])
	return size != 0 && size%512 == 0 && !zero(b[18:20])
}

// fitsAPFS wants the object's type, and the one size of a block.
func fitsAPFS(b []byte) bool {
	return binary.LittleEndian.Uint16(b[24:]) == 1 && binary.LittleEndian.Uint32(b[36:]) == 4096
}

// probeZFS: openzfs include/sys/vdev_impl.h and uberblock_impl.h. Each label
// ends with a ring of uberblocks, in the byte order of the machine that wrote
// them; there are two labels at the beginning of a disk, and two at its end.
func probeZFS(i image) (*Result, error) {
	const label, ring, slot = 256 << 10, 128 << 10, 1 << 10
	for n := range int64(2) {
		b, err := i.at(n*label+label-ring, ring)
		if err != nil {
			return nil, err
		}
		for ; len(b) >= slot; b = b[slot:] {
			if isUberblock(b, binary.LittleEndian) || isUberblock(b, binary.BigEndian) {
				return &Result{Type: "zfs_member", Kind: Container}, nil
			}
		}
	}
	return nil, nil
}

// isUberblock looks at the magic and the version: 5000 since these are no
// longer counted.
func isUberblock(b []byte, order binary.ByteOrder) bool {
	const magic, most = 0x00bab10c, 5000
	version := order.Uint64(b[8:])
	return order.Uint64(b) == magic && version > 0 && version <= most
}

// probeUDF: ECMA-167, volume recognition sequence, whose descriptors are 2048
// bytes or a sector apart. A disc that is ISO 9660 as well begins with that,
// and is taken for it.
func probeUDF(i image) (*Result, error) {
	const first = 32768
	b, err := i.at(first, 2*4096+6)
	if b == nil || string(b[1:6]) != "BEA01" {
		return nil, err
	}
	for _, at := range []int{2048, 4096, 8192} {
		if s := string(b[at+1 : at+6]); s == "NSR02" || s == "NSR03" {
			return &Result{Type: "udf", Kind: Named}, nil
		}
	}
	return nil, nil
}
