package fsprobe

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// probeLUKS: cryptsetup, docs/on-disk-format*.pdf. Version 2 has a second
// header at one of several places.
func probeLUKS(i image) (*Result, error) {
	const first, second = "LUKS\xba\xbe", "SKUL\xba\xbe"
	magic := first
	for _, at := range []int64{
		0, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000,
	} {
		b, err := i.at(at, 592)
		if err != nil {
			return nil, err
		}
		if b != nil && string(b[:6]) == magic {
			return &Result{Type: "crypto_LUKS", UUID: plain(text(b[168:208])), Kind: Container}, nil
		}
		magic = second
	}
	return nil, nil
}

// probeLVM: lvm2, lib/format_text/layout.h. The label is in one of the first
// four sectors.
func probeLVM(i image) (*Result, error) {
	for sector := range int64(4) {
		b, err := i.at(sector*512, 512)
		if err != nil {
			return nil, err
		}
		if b != nil && string(b[:8]) == "LABELONE" && string(b[24:32]) == "LVM2 001" {
			u := string(b[32:64])
			parts := []string{u[:6], u[6:10], u[10:14], u[14:18], u[18:22], u[22:26], u[26:]}
			u = strings.Join(parts, "-")
			return &Result{Type: "LVM2_member", UUID: plain(u), Kind: Container}, nil
		}
	}
	return nil, nil
}

// probeRAID: linux include/uapi/linux/raid/md_p.h. The superblock is at the
// beginning, 4 KiB behind it, or near the end.
func probeRAID(i image) (*Result, error) {
	const magic = 0xa92b4efc
	sectors := i.size / 512
	places := []int64{0, 4096, (sectors&^7 - 16) * 512, (i.size &^ 65535) - 65536}
	for _, at := range places {
		b, err := i.at(at, 64)
		if err != nil {
			return nil, err
		}
		if b == nil ||
			binary.LittleEndian.Uint32(b) != magic && binary.BigEndian.Uint32(b) != magic {
			continue
		}
		r := &Result{Type: "linux_raid_member", Kind: Container}
		if binary.LittleEndian.Uint32(b[4:]) == 1 {
			r.UUID, r.Label = uuid(b[16:32]), text(b[32:64])
		}
		return r, nil
	}
	return nil, nil
}

// probeSwap: util-linux, include/swapheader.h. The signature ends the first
// page, whatever the page's size.
func probeSwap(i image) (*Result, error) {
	for _, page := range []int64{4096, 8192, 16384, 32768, 65536} {
		b, err := i.at(page-10, 10)
		if err != nil {
			return nil, err
		}
		if s := string(b); s != "SWAPSPACE2" && s != "SWAP-SPACE" {
			continue
		}
		head, err := i.at(1024, 64)
		if head == nil {
			return nil, err
		}
		if s := string(b); s == "SWAPSPACE2" && (!isOne(head) || zero(head[4:8])) {
			continue
		}
		r := &Result{Type: "swap", Kind: Container}
		r.UUID, r.Label = uuid(head[12:28]), text(head[28:44])
		return r, nil
	}
	return nil, nil
}

// isOne reports whether b is a version 1, in the byte order of the machine that
// wrote it.
func isOne(b []byte) bool {
	return binary.LittleEndian.Uint32(b) == 1 || binary.BigEndian.Uint32(b) == 1
}

// probeThinMetadata: linux drivers/md/dm-thin-metadata.c.
func probeThinMetadata(i image) (*Result, error) {
	b, err := i.at(0, 64)
	if b == nil || binary.LittleEndian.Uint64(b[32:]) != 27022010 {
		return nil, err
	}
	return &Result{Type: "DM_thin_metadata", Kind: Container}, nil
}

// probeGPT: UEFI specification, part 5. A table of DOS protects the disk; the
// header is in the second sector, and once more in the last.
func probeGPT(i image) (*Result, error) {
	b, err := i.at(0, 512)
	if b == nil || !hasProtective(b) {
		return nil, err
	}
	for _, at := range []int64{512, 4096, i.size - 512, i.size - 4096} {
		b, err := i.at(at, 92)
		if err != nil {
			return nil, err
		}
		if b != nil && string(b[:8]) == "EFI PART" {
			return &Result{Type: "gpt", UUID: guid(b[56:72]), Kind: Container}, nil
		}
	}
	return nil, nil
}

// hasProtective reports whether a boot sector has the protective entry of a
// GPT, which keeps programs that do not know GPT off the disk.
func hasProtective(b []byte) bool {
	for n := range 4 {
		if b[446+16*n+4] == 0xee {
			return b[510] == 0x55 && b[511] == 0xaa
		}
	}
	return false
}

// guid is a UUID whose first three parts are little-endian.
func guid(b []byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// probeDOS accepts a partition table whose four entries are all possible; they
// may be empty. The protective table of a GPT is left to probeGPT.
func probeDOS(i image) (*Result, error) {
	b, err := i.at(0, 512)
	if b == nil || b[510] != 0x55 || b[511] != 0xaa || hasProtective(b) {
		return nil, err
	}
	for n := range 4 {
		if boot := b[446+16*n]; boot != 0 && boot != 0x80 {
			return nil, nil
		}
	}
	r := &Result{Type: "dos", Kind: Container}
	if id := binary.LittleEndian.Uint32(b[440:]); id != 0 {
		r.UUID = fmt.Sprintf("%08x", id)
	}
	return r, nil
}
