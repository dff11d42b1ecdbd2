package fsprobe

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// fat is the geometry of a FAT filesystem, all in its first sector (Microsoft:
// FAT32 File System Specification).
type fat struct {
	b         []byte
	sector    uint64 // bytes
	cluster   uint64 // sectors
	reserved  uint64 // sectors
	fats      uint64
	fatLength uint64 // sectors
	rootDirs  uint64 // entries; 0 on FAT32
	total     uint64 // sectors
	wide      bool   // FAT32
}

// probeVFAT accepts a FAT whose geometry is possible, and whose boot sector is
// named FAT or has the signature of one: boot sectors of other formats look
// alike.
func probeVFAT(i image) (*Result, error) {
	b, err := i.at(0, 512)
	if b == nil {
		return nil, err
	}
	f, ok := parseFAT(b)
	if !ok || f.total*f.sector > uint64(i.size) {
		return nil, nil
	}
	r := &Result{Type: "vfat", UUID: fatSerial(b[0x27:])}
	label := text(b[0x2b:0x36])
	if f.wide {
		r.UUID, label = fatSerial(b[0x43:]), text(b[0x47:0x52])
	}
	inDir, err := f.rootLabel(i)
	if err != nil {
		return nil, err
	}
	if inDir != "" {
		label = inDir
	}
	if label != "NO NAME" {
		r.Label = label
	}
	return r, nil
}

func parseFAT(b []byte) (fat, bool) {
	le := binary.LittleEndian
	f := fat{
		b:         b,
		sector:    uint64(le.Uint16(b[0xb:])),
		cluster:   uint64(b[0xd]),
		reserved:  uint64(le.Uint16(b[0xe:])),
		fats:      uint64(b[0x10]),
		rootDirs:  uint64(le.Uint16(b[0x11:])),
		total:     uint64(le.Uint16(b[0x13:])),
		fatLength: uint64(le.Uint16(b[0x16:])),
	}
	if f.total == 0 {
		f.total = uint64(le.Uint32(b[0x20:]))
	}
	if f.fatLength == 0 {
		f.fatLength, f.wide = uint64(le.Uint32(b[0x24:])), true
	}
	media := b[0x15]
	wide, narrow := string(b[0x52:]), string(b[0x36:]) // where each kind has its name
	named := strings.HasPrefix(wide, "FAT32   ") || strings.HasPrefix(wide, "MSWIN") ||
		strings.HasPrefix(narrow, "FAT") || strings.HasPrefix(narrow, "MSDOS")
	ok := (named || le.Uint16(b[510:]) == 0xaa55) &&
		powerOfTwo(f.sector) && f.sector >= 512 && f.sector <= 4096 && powerOfTwo(f.cluster) &&
		f.reserved != 0 && f.fats != 0 && f.fatLength != 0 &&
		(media >= 0xf8 || media == 0xf0) && f.total != 0
	return f, ok
}

func fatSerial(b []byte) string {
	if zero(b[:4]) {
		return ""
	}
	return fmt.Sprintf("%02X%02X-%02X%02X", b[3], b[2], b[1], b[0])
}

// rootLabel looks for the volume entry in the first entries of the root folder.
func (f fat) rootLabel(i image) (string, error) {
	at := (f.reserved + f.fats*f.fatLength) * f.sector
	length := min(f.rootDirs*32, 64<<10)
	if f.wide {
		root := uint64(binary.LittleEndian.Uint32(f.b[0x2c:]))
		if root < 2 {
			return "", nil
		}
		at, length = at+(root-2)*f.cluster*f.sector, min(f.cluster*f.sector, 64<<10)
	}
	b, err := i.at(int64(at), int(length))
	for ; len(b) >= 32; b = b[32:] {
		const isVolume, isDir, deleted = 0x08, 0x10, 0xe5
		if b[0] == 0 {
			break
		}
		volume := b[11] != 0x0f && b[11]&(isVolume|isDir) == isVolume
		if b[0] != deleted && volume && binary.LittleEndian.Uint16(b[20:]) == 0 {
			if b[0] == 5 {
				b[0] = deleted // the letter, escaped
			}
			return text(b[:11]), nil
		}
	}
	return "", err
}

// probeExfat: Microsoft, exFAT file system specification.
func probeExfat(i image) (*Result, error) {
	b, err := i.at(0, 512)
	if b == nil || string(b[3:11]) != "EXFAT   " {
		return nil, err
	}
	sectorShift, clusterShift := b[108], b[109]
	if sectorShift < 9 || sectorShift > 12 || clusterShift > 25-sectorShift {
		return nil, nil
	}
	le := binary.LittleEndian
	heap, root := uint64(le.Uint32(b[88:])), uint64(le.Uint32(b[96:]))
	r := &Result{Type: "exfat", UUID: fatSerial(b[100:])}
	if root < 2 {
		return nil, nil
	}
	at := (heap + (root-2)<<clusterShift) << sectorShift
	dir, err := i.at(int64(at), min(1<<(sectorShift+clusterShift), 64<<10))
	for ; len(dir) >= 32 && dir[0] != 0; dir = dir[32:] {
		const volumeLabel = 0x83
		if n := int(dir[1]); dir[0] == volumeLabel && n <= 11 {
			r.Label = utf16Text(dir[2:2+2*n], le.Uint16)
			break
		}
	}
	return r, err
}
