package fsprobe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/fstype"
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

// stratisSector has the sum that blkid looks at.
func stratisSector() string {
	b := put(512, map[int]string{4: "!Stra0tis\x86\xff\x02^\x41rh", 20: le(1<<17, 8),
		32: strings.Repeat("a", 32), 64: strings.Repeat("b", 32)})
	return le(uint64(crc32.Checksum(b[4:], crc32.MakeTable(crc32.Castagnoli))), 4) + string(b[4:])
}

// headers are the least that makes each format be found.
func headers() map[string][]byte {
	id, uber := strings.Repeat("\x11", 16), le(0xbab10c, 8)+le(5000, 8)
	return map[string][]byte{
		"ext2": put(4096, map[int]string{1024 + 0x38: extMagic, 1024 + 0x68: id}),
		"ext3": put(4096, map[int]string{1024 + 0x38: extMagic, 1024 + 0x5c: "\x04"}),
		"ext4": put(4096, map[int]string{1024 + 0x38: extMagic, 1024 + 0x60: "\x40"}),
		"xfs": put(4096,
			map[int]string{0: "XFSB\x00\x00\x10\x00", 102: "\x02\x00", 32: id}),
		"btrfs":    put(70000, map[int]string{65536 + 0x40: "_BHRfS_M", 65536 + 0x20: id}),
		"f2fs":     put(4096, map[int]string{1024: "\x10\x20\xf5\xf2", 1024 + 108: id}),
		"erofs":    put(4096, map[int]string{1024: "\xe2\xe1\xf5\xe0", 1024 + 48: id}),
		"squashfs": put(4096, map[int]string{0: "hsqs", 28: "\x04\x00"}),
		"iso9660": put(40960,
			map[int]string{32768: "\x01CD001\x01", 32768 + 40: "LABEL   "}),
		"ntfs": put(4096,
			map[int]string{3: "NTFS    ", 11: "\x00\x02\x08", 64: "\xf6", 72: "\x01"}),
		"exfat": put(4096,
			map[int]string{3: "EXFAT   ", 96: "\x02", 108: "\x09\x00", 100: "\x01"}),
		"vfat": put(65536, map[int]string{0: "\xeb", 11: "\x00\x02\x01\x01\x00\x02",
			17: "\x10\x00\x40\x00\xf8\x01\x00", 0x36: "FAT12   ", 510: "\x55\xaa"}),
		"crypto_LUKS": put(4096, map[int]string{0: "LUKS\xba\xbe"}),
		"LVM2_member": put(4096,
			map[int]string{512: "LABELONE", 512 + 24: "LVM2 001" + strings.Repeat("a", 32)}),
		"linux_raid_member": put(65536, map[int]string{4096: "\xfc\x4e\x2b\xa9\x01"}),
		"swap": put(8192,
			map[int]string{1024: "\x01\x00\x00\x00\xff", 4086: "SWAPSPACE2"}),
		"DM_thin_metadata": put(4096, map[int]string{32: le(27022010, 8)}),
		"stratis":          put(8192, map[int]string{512: stratisSector()}),
		"zfs_member": put(256<<10,
			map[int]string{132 << 10: uber, 133 << 10: uber, 134 << 10: uber, 135 << 10: uber}),
		"bcache": put(8192,
			map[int]string{4096 + 24: "\xc6\x85\x73\xf6" +
				"\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81" + id}),
		"bcachefs": put(8192,
			map[int]string{4096 + 24: "\xc6\x85\x73\xf6" +
				"\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef" + id + id,
				4096 + 104: "\x08", 4096 + 123: "\x01"}),
		"ceph_bluestore": put(4096,
			map[int]string{0: "bluestore block device\n01234567-89ab-cdef-0123-456789abcdef\n"}),
		"drbd":        put(4096, map[int]string{40: id, 60: "\x83\x74\x02\x6d\x00\x00\x01\x00"}),
		"LVM1_member": put(4096, map[int]string{0: "HM\x01\x00", 44: strings.Repeat("a", 32)}),
		"jfs": put(36<<10, map[int]string{32 << 10: "JFS1\x01",
			32<<10 + 16: le(4096, 4) + le(12, 2) + le(3, 2) + le(512, 4) + le(9, 2)}),
		"reiserfs": put(68<<10, map[int]string{64<<10 + 12: le(18, 4), 64<<10 + 44: le(4096, 2),
			64<<10 + 52: "ReIsEr2Fs"}),
		"reiser4": put(68<<10, map[int]string{64 << 10: "ReIsEr4"}),
		"nilfs2": put(4096, map[int]string{1024: le(2, 4) + le(0, 2) + "\x34\x34" + le(280, 2),
			1024 + 20: le(2, 4)}),
		"udf": put(44<<10, map[int]string{32 << 10: "\x00BEA01\x01", 34 << 10: "\x00NSR03\x01",
			36 << 10: "\x00TEA01\x01"}),
		"hfsplus": put(4096, map[int]string{1024: "H+\x00\x04", 1024 + 40: "\x00\x00\x10\x00"}),
		"hfs":     put(4096, map[int]string{1024: "BD", 1024 + 18: "\x10\x00\x00\x00\x10\x00"}),
		"apfs":    put(4096, map[int]string{24: "\x01\x00\x00\x80", 32: "NXSB" + le(4096, 4)}),
		"gpt":     put(4096, map[int]string{450: "\xee", 510: "\x55\xaa", 512: "EFI PART"}),
		"dos":     put(4096, map[int]string{446: "\x80", 450: "\x83", 510: "\x55\xaa"}),
	}
}

func TestEachFormat(t *testing.T) {
	var mounted []string
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
		if err == nil {
			mounted = append(mounted, want)
		}
	}
	slices.Sort(mounted)
	if want := slices.Sorted(slices.Values(fstype.Mounted())); !slices.Equal(mounted, want) {
		t.Errorf("found to be mounted: %q, want %q", mounted, want)
	}
}

// Where else a format that is only named has its superblock, and what it writes
// there.
func TestEachPlace(t *testing.T) {
	uberBE := "\x00\x00\x00\x00\x00\xba\xb1\x0c\x00\x00\x00\x00\x00\x00\x00\x1c"
	for name, row := range map[string]struct {
		want string
		b    []byte
	}{
		"stratis, the copy": {"stratis",
			put(8192, map[int]string{9*512 + 4: "!Stra0tis\x86\xff\x02^\x41rh"})},
		"zfs of a big-endian machine": {"zfs_member",
			put(256<<10, map[int]string{255 << 10: uberBE})},
		"zfs whose first label is gone": {"zfs_member",
			put(512<<10, map[int]string{384 << 10: le(0xbab10c, 8) + le(5000, 8)})},
		"DRBD 8 at the end": {"drbd",
			put(64<<10, map[int]string{60<<10 + 60: "\x83\x74\x02\x6b\x00\x00\x01\x00"})},
		"DRBD 8.4 that was not shut down": {"drbd",
			put(64<<10, map[int]string{60<<10 + 60: "\x83\x74\x02\x6c\x00\x00\x01\x00"})},
		"LVM1 of version 2": {"LVM1_member",
			put(4096, map[int]string{0: "HM\x02\x00", 44: strings.Repeat("b", 32)})},
		"reiserfs 3.5": {"reiserfs",
			put(16<<10, map[int]string{8<<10 + 52: "ReIsErFs"})},
		"reiserfs before that": {"reiserfs",
			put(16<<10, map[int]string{8<<10 + 20: "ReIsErFs"})},
		"reiserfs with its journal aside": {"reiserfs",
			put(68<<10, map[int]string{64<<10 + 52: "ReIsEr3Fs"})},
		"udf of 4k sectors": {"udf",
			put(44<<10, map[int]string{32 << 10: "\x00BEA01\x01", 36 << 10: "\x00NSR02\x01"})},
		"HFS+ that knows upper from lower": {"hfsplus",
			put(4096, map[int]string{1024: "HX\x00\x05", 1024 + 40: "\x00\x00\x10\x00"})},
		"udf beside ISO 9660": {"iso9660", put(44<<10,
			map[int]string{32 << 10: "\x01CD001\x01", 34 << 10: "\x00BEA01\x01",
				36 << 10: "\x00NSR02\x01"})},
	} {
		got, err := Signatures(bytes.NewReader(row.b), int64(len(row.b)))
		if err != nil || len(got) != 1 || got[0].Type != row.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A short magic alone does not make a filesystem.
func TestShortMagicsNeedMore(t *testing.T) {
	for name, b := range map[string][]byte{
		"drbd":        put(4096, map[int]string{60: "\x83\x74\x02\x6d"}),
		"LVM1_member": put(4096, map[int]string{0: "HM\x01\x00"}),
		"jfs":         put(36<<10, map[int]string{32 << 10: "JFS1"}),
		"nilfs2":      put(4096, map[int]string{1024 + 6: "\x34\x34"}),
		"hfsplus":     put(4096, map[int]string{1024: "H+\x00\x04"}),
		"hfs":         put(4096, map[int]string{1024: "BD"}),
		"apfs":        put(4096, map[int]string{32: "NXSB"}),
		"udf":         put(44<<10, map[int]string{32 << 10: "\x00BEA01\x01"}),
		"zfs_member":  put(256<<10, map[int]string{132 << 10: le(0xbab10c, 8)}),
	} {
		if got, err := Signatures(bytes.NewReader(b), int64(len(b))); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// What is said of a filesystem that is not mounted by us is not that it is
// none.
func TestWhyItIsNotMounted(t *testing.T) {
	for name, want := range map[string]string{
		"zfs_member": "carries zfs_member, which is no filesystem",
		"jfs":        "carries jfs, which is mounted only where it is named",
	} {
		b := headers()[name]
		if _, err := Probe(bytes.NewReader(b), int64(len(b))); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
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
	if !errors.As(err, &two) || len(two.Found) != 2 ||
		!strings.Contains(err.Error(), "ext4, squashfs") {
		t.Errorf("%v", err)
	}
}

// Cut off anywhere, with the device's size told as it is or as it was, nothing
// breaks.
func TestTruncated(t *testing.T) {
	for name, b := range headers() {
		for n := 0; n < len(b); n += max(37, len(b)/997) {
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
		if _, err := Probe(failing{bytes.NewReader(b), at}, int64(len(b))); !errors.Is(err,
			io.ErrNoProgress) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}
