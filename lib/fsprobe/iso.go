package fsprobe

import (
	"encoding/binary"
	"fmt"
)

// probeISO: ECMA-119, the volume descriptors from sector 16 on. A Joliet
// descriptor has the label in its full form.
func probeISO(i image) (*Result, error) {
	const (
		sector  = 2048
		first   = 16
		most    = 16
		primary = 1
		joliet  = 2
		end     = 255
	)
	var r *Result
	for n := int64(first); n < first+most; n++ {
		b, err := i.at(n*sector, sector)
		if b == nil || string(b[1:6]) != "CD001" || b[0] == end {
			return r, err
		}
		switch {
		case b[0] == primary && r == nil:
			r = &Result{Type: "iso9660", UUID: isoDate(b), Label: text(b[40:72])}
		case b[0] == joliet && r != nil && isJoliet(b[88:91]):
			if label := utf16Text(b[40:72], binary.BigEndian.Uint16); label != "" {
				r.Label = label
			}
		}
	}
	return r, nil
}

func isJoliet(escape []byte) bool {
	s := string(escape)
	return s == "%/@" || s == "%/C" || s == "%/E"
}

// isoDate is what blkid gives for a UUID: the time of the last change, or else
// of the creation.
func isoDate(b []byte) string {
	for _, at := range []int{830, 813} {
		d := b[at : at+16]
		if !zero(d) && string(d) != "0000000000000000" {
			return plain(fmt.Sprintf("%s-%s-%s-%s-%s-%s-%s",
				d[:4], d[4:6], d[6:8], d[8:10], d[10:12], d[12:14], d[14:16]))
		}
	}
	return ""
}
