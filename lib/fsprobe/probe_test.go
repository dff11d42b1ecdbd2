package fsprobe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

// put makes an image of size bytes with texts at offsets.
func put(size int, at map[int]string) []byte {
	b := make([]byte, size)
	for off, s := range at {
		copy(b[off:], s)
	}
	return b
}

// le is a number of 2, 4 or 8 bytes as text.
func le(n uint64, size int) string {
	return string(binary.LittleEndian.AppendUint64(nil, n)[:size])
}

const extMagic = "\x53\xef"

// headers are the least that makes each format be found.
func headers() map[string][]byte {
	id := strings.Repeat("\x11", 16)
	return map[string][]byte{
		"ext2":              put(4096, map[int]string{1024 + 0x38: extMagic, 1024 + 0x68: id}),
		"ext3":              put(4096, map[int]string{1024 + 0x38: extMagic, 1024 + 0x5c: "\x04"}),
		"ext4":              put(4096, map[int]string{1024 + 0x38: extMagic, 1024 + 0x60: "\x40"}),
		"xfs":               put(4096, map[int]string{0: "XFSB\x00\x00\x10\x00", 102: "\x02\x00", 32: id}),
		"btrfs":             put(70000, map[int]string{65536 + 0x40: "_BHRfS_M", 65536 + 0x20: id}),
		"f2fs":              put(4096, map[int]string{1024: "\x10\x20\xf5\xf2", 1024 + 108: id}),
		"erofs":             put(4096, map[int]string{1024: "\xe2\xe1\xf5\xe0", 1024 + 48: id}),
		"squashfs":          put(4096, map[int]string{0: "hsqs", 28: "\x04\x00"}),
		"iso9660":           put(40960, map[int]string{32768: "\x01CD001\x01", 32768 + 40: "LABEL   "}),
		"ntfs":              put(4096, map[int]string{3: "NTFS    ", 11: "\x00\x02\x08", 64: "\xf6", 72: "\x01"}),
		"exfat":             put(4096, map[int]string{3: "EXFAT   ", 96: "\x02", 108: "\x09\x00", 100: "\x01"}),
		"vfat":              put(65536, map[int]string{0: "\xeb", 11: "\x00\x02\x01\x01\x00\x02", 17: "\x10\x00\x40\x00\xf8\x01\x00", 0x36: "FAT12   ", 510: "\x55\xaa"}),
		"crypto_LUKS":       put(4096, map[int]string{0: "LUKS\xba\xbe"}),
		"LVM2_member":       put(4096, map[int]string{512: "LABELONE", 512 + 24: "LVM2 001" + strings.Repeat("a", 32)}),
		"linux_raid_member": put(65536, map[int]string{4096: "\xfc\x4e\x2b\xa9\x01"}),
		"swap":              put(8192, map[int]string{1024: "\x01\x00\x00\x00\xff", 4086: "SWAPSPACE2"}),
		"DM_thin_metadata":  put(4096, map[int]string{32: le(27022010, 8)}),
		"gpt":               put(4096, map[int]string{450: "\xee", 510: "\x55\xaa", 512: "EFI PART"}),
		"dos":               put(4096, map[int]string{446: "\x80", 450: "\x83", 510: "\x55\xaa"}),
	}
}

func TestEachFormat(t *testing.T) {
	for want, b := range headers() {
		got, err := Signatures(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(got) != 1 || got[0].Type != want {
			t.Errorf("%s: %+v, %v", want, got, err)
		}
		_, err = Probe(bytes.NewReader(b), int64(len(b)))
		var other *OtherError
		if (err == nil) == errors.As(err, &other) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestNothing(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 4096, 1 << 20} {
		b := make([]byte, size)
		if got, err := Probe(bytes.NewReader(b), int64(size)); !errors.Is(err, ErrNone) {
			t.Errorf("%d bytes: %+v, %v", size, got, err)
		}
	}
}

func TestTwoAreAmbiguous(t *testing.T) {
	b := headers()["ext4"]
	copy(b, headers()["squashfs"][:100])
	_, err := Probe(bytes.NewReader(b), int64(len(b)))
	var two *AmbiguousError
	if !errors.As(err, &two) || len(two.Found) != 2 || !strings.Contains(err.Error(), "ext4, squashfs") {
		t.Errorf("%v", err)
	}
}

// Cut off anywhere, with the device's size told as it is or as it was, nothing
// breaks.
func TestTruncated(t *testing.T) {
	for name, b := range headers() {
		for n := 0; n < len(b); n += 37 {
			for _, size := range []int64{int64(n), int64(len(b)), 1 << 62} {
				if _, err := Signatures(bytes.NewReader(b[:n]), size); err != nil {
					t.Fatalf("%s cut at %d of %d: %v", name, n, size, err)
				}
			}
		}
	}
}

// counting counts what is read.
type counting struct {
	io.ReaderAt
	n int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.n += len(p)
	return c.ReaderAt.ReadAt(p, off)
}

func TestReadsAreBounded(t *testing.T) {
	for name, b := range headers() {
		c := &counting{ReaderAt: bytes.NewReader(b)}
		Signatures(c, 1<<62)
		if c.n > 1<<20 {
			t.Errorf("%s: %d bytes read", name, c.n)
		}
	}
}

// failing fails at one place.
type failing struct {
	io.ReaderAt
	at int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.at && f.at < off+int64(len(p)) {
		return 0, io.ErrNoProgress
	}
	return f.ReaderAt.ReadAt(p, off)
}

// A disk that cannot be read is not one with nothing on it.
func TestReadErrors(t *testing.T) {
	b := make([]byte, 1<<20)
	for _, at := range []int64{0, 600, 1100, 4090, 32769, 65600} {
		if _, err := Probe(failing{bytes.NewReader(b), at}, int64(len(b))); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}
