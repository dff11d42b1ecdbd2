package fsprobe

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// known are all types that there are; blkid's words.
var known = []string{
	"ext2", "ext3", "ext4", "jbd", "xfs", "btrfs", "f2fs", "erofs", "squashfs", "squashfs3",
	"iso9660", "ntfs", "exfat", "vfat",
	"crypto_LUKS", "LVM2_member", "linux_raid_member", "swap", "DM_thin_metadata", "gpt", "dos",
	"stratis", "zfs_member", "bcache", "bcachefs", "ceph_bluestore", "drbd", "LVM1_member", "jfs",
	"reiserfs", "reiser4", "nilfs2", "udf",
	"hfsplus", "hfs", "apfs",
}

// patchwork is a device of zeroes with two pieces on it.
type patchwork struct {
	t         *testing.T
	head, far []byte
	farAt     int64
	size      int64
	n         int // bytes read
}

func (p *patchwork) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off > p.size-int64(len(b)) {
		p.t.Errorf("%d bytes are read at %d of %d", len(b), off, p.size)
		return 0, io.EOF
	}
	p.n += len(b)
	clear(b)
	if off < int64(len(p.head)) {
		copy(b, p.head[off:])
	}
	switch skip := off - p.farAt; {
	case skip >= 0 && skip < int64(len(p.far)):
		copy(b, p.far[skip:])
	case skip < 0 && -skip < int64(len(b)):
		copy(b[-skip:], p.far)
	}
	return len(b), nil
}

// seeds begins a fuzz target with the real images of some types, and with those
// that the other tests make up.
func seeds(f *testing.F, types ...string) {
	for _, r := range reals(f) {
		if head, far, at := r.halves(); slices.Contains(types, r.want.Type) {
			f.Add(head, far, at, r.size)
		}
	}
	for name, b := range headers() {
		if slices.Contains(types, name) {
			far := bytes.TrimLeft(b[4096:], "\x00")
			f.Add(bytes.TrimRight(b[:4096], "\x00"), bytes.TrimRight(far, "\x00"),
				int64(len(b)-len(far)), int64(len(b)))
		}
	}
}

// look is what must hold of any image: it is read within its bounds and never
// much of it, no type is found twice, nothing is said that would break a line,
// and Probe decides as Signatures found.
func look(t *testing.T, head, far []byte, farAt, size int64) {
	p := &patchwork{t: t, head: head, far: far, farAt: max(farAt, 0), size: max(size, 0)}
	found, err := Signatures(p, p.size)
	if err != nil || p.n > 1<<20 {
		t.Fatalf("%v after %d bytes", err, p.n)
	}
	var filesystems []Result
	for i, r := range found {
		if !slices.Contains(known, r.Type) ||
			slices.ContainsFunc(found[:i], func(o Result) bool { return o.Type == r.Type }) {
			t.Errorf("%+v", found)
		}
		if len(r.Label) > 3*512 || len(r.UUID) > 64 || strings.Contains(r.Label, "\x00") ||
			plain(r.UUID) != r.UUID {
			t.Errorf("%+v", r)
		}
		if r.Kind == Filesystem {
			filesystems = append(filesystems, r)
		}
	}
	one, err := Probe(p, p.size)
	var other *OtherError
	var two *AmbiguousError
	switch {
	case len(found) == 0 && errors.Is(err, ErrNone):
	case len(found) > 1 && errors.As(err, &two) && slices.Equal(two.Found, found):
	case len(found) == 1 && errors.As(err, &other) && len(filesystems) == 0 &&
		other.Result == found[0]:
	case len(found) == 1 && err == nil && len(filesystems) == 1 && one == found[0]:
	default:
		t.Errorf("%+v, %v, where %+v was found", one, err, found)
	}
}

func FuzzExt(f *testing.F)   { seeds(f, "ext2", "ext3", "ext4", "jbd"); f.Fuzz(look) }
func FuzzXFS(f *testing.F)   { seeds(f, "xfs"); f.Fuzz(look) }
func FuzzBtrfs(f *testing.F) { seeds(f, "btrfs"); f.Fuzz(look) }
func FuzzFlash(f *testing.F) { seeds(f, "f2fs", "erofs", "squashfs"); f.Fuzz(look) }
func FuzzISO(f *testing.F)   { seeds(f, "iso9660"); f.Fuzz(look) }
func FuzzNTFS(f *testing.F)  { seeds(f, "ntfs"); f.Fuzz(look) }
func FuzzExfat(f *testing.F) { seeds(f, "exfat"); f.Fuzz(look) }
func FuzzVFAT(f *testing.F)  { seeds(f, "vfat"); f.Fuzz(look) }

func FuzzContainer(f *testing.F) {
	seeds(f, "crypto_LUKS", "LVM2_member", "linux_raid_member", "swap", "DM_thin_metadata", "gpt",
		"dos")
	f.Fuzz(look)
}

func FuzzFormats(f *testing.F) {
	seeds(f, "stratis", "zfs_member", "bcache", "bcachefs", "ceph_bluestore", "drbd", "LVM1_member")
	seeds(f, "jfs", "reiserfs", "reiser4", "nilfs2", "udf", "hfsplus", "hfs", "apfs")
	f.Fuzz(look)
}

// The seeds are found as what they are when they are put together again.
func TestPatchwork(t *testing.T) {
	for name, r := range reals(t) {
		head, far, at := r.halves()
		found, err := Signatures(&patchwork{t: t, head: head, far: far, farAt: at, size: r.size},
			r.size)
		if err != nil || len(found) == 0 || found[0].Type != r.want.Type {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}
