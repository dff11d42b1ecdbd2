package fsprobe

import (
	"encoding/binary"
	"fmt"
)

// probeNTFS: ntfs-3g, include/ntfs-3g/layout.h. The label is in the fourth
// record of the master file table, $Volume.
func probeNTFS(i image) (*Result, error) {
	b, err := i.at(0, 512)
	if b == nil || string(b[3:11]) != "NTFS    " {
		return nil, err
	}
	le := binary.LittleEndian
	sector, cluster := uint64(le.Uint16(b[11:])), uint64(b[13])
	if cluster > 0x80 { // 2^(256-n)
		cluster = 1 << (256 - cluster)
	}
	const most = 2 << 20 // of a cluster, bytes; the product of more may overflow
	if !powerOfTwo(sector) || sector < 256 || sector > 4096 ||
		!powerOfTwo(cluster) || cluster > most || sector*cluster > most {
		return nil, nil
	}
	r := &Result{Type: "ntfs"}
	if serial := le.Uint64(b[72:]); serial != 0 {
		r.UUID = fmt.Sprintf("%016X", serial)
	}
	record := uint64(b[64]) * sector * cluster
	if b[64] > 0x80 {
		record = 1 << (256 - uint64(b[64]))
	}
	mft := le.Uint64(b[48:])
	if record < 256 || record > 64<<10 || mft > uint64(i.size)/(sector*cluster) {
		return nil, nil
	}
	volume, err := i.at(int64(mft*sector*cluster+3*record), int(record))
	if volume != nil && string(volume[:4]) == "FILE" {
		r.Label = ntfsLabel(volume)
	}
	return r, err
}

// ntfsLabel walks the attributes of a record to the volume's name.
func ntfsLabel(b []byte) string {
	const volumeName, end = 0x60, 0xffffffff
	le := binary.LittleEndian
	for at := int(le.Uint16(b[20:])); at+24 <= len(b); {
		kind, length := le.Uint32(b[at:]), int(le.Uint32(b[at+4:]))
		if kind == end || length < 24 || length > len(b)-at {
			return ""
		}
		if kind == volumeName {
			n, off := int(le.Uint32(b[at+16:])), int(le.Uint16(b[at+20:]))
			if n < 0 || off+n > length {
				return ""
			}
			return utf16Text(b[at+off:at+off+n], le.Uint16)
		}
		at += length
	}
	return ""
}
