// Package fsprobe tells which filesystem is on a device, as `blkid -p` does,
// from the superblock.
//
// # What it does
//
//   - Probe returns the one filesystem of an image with its UUID and label, in
//     the words of blkid(8), or an error that says why there is none: nothing
//     is known (ErrNone), something else is there (*OtherError), or more than
//     one signature is (*AmbiguousError).
//   - Signatures lists all that is found. A program that is about to overwrite
//     a device shows these.
//
// Formats with a UUID and a label: ext2 to ext4, xfs, btrfs, f2fs, erofs,
// squashfs, iso9660, ntfs, exfat, vfat. Containers (Kind): LUKS, LVM2, MD RAID,
// swap, ZFS, GPT, a DOS partition table, thin metadata. The table in formats.go
// has those of which only the name is told.
//
// # What it needs
//
// An io.ReaderAt and the size of the image. It needs no root and runs no
// program.
//
// # Safety and concurrency
//
// An image may be hostile. Each prober reads a bounded number of bytes, at
// places that the image can choose only within its size, and follows no chain
// without an end. Functions keep no state and may be called concurrently. Text
// of a label is returned as it is: who prints it has to escape it.
//
// # When not to use it
//
//   - To decide whether a filesystem is sound: checksums of superblocks are not
//     verified. A filesystem whose superblock is damaged is still named,
//     because "nothing is there" would invite a new filesystem on it; the
//     kernel says what is wrong with it.
//   - On a device that is mounted: what the superblock says may be outdated.
//   - For partitions: a partition table is only named.
//
// # Sources
//
// Each prober names the header or specification that its offsets come from.
// Behaviour follows blkid(8) of util-linux, which the tests compare with.
package fsprobe

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// Kind says whether a Result can be mounted.
type Kind int

const (
	// Filesystem can be mounted.
	Filesystem Kind = iota
	// Container holds something else: a volume group, an encrypted volume,
	// partitions, swap.
	Container
	// Named is a filesystem that is only named, and mounted only if the user
	// gives its name.
	Named
)

// Result is one signature. Its words are those of blkid(8).
type Result struct {
	Type  string
	UUID  string
	Label string
	Kind  Kind
}

func (r Result) isFilesystem() bool { return r.Kind != Container }

// ErrNone says that no signature was found: the device is empty, or its format
// is not known.
var ErrNone = errors.New("no filesystem on it")

// OtherError says that the one signature is not that of a filesystem, or of one
// that is mounted only if the user gives its name.
type OtherError struct{ Result Result }

// Error names the format.
func (e *OtherError) Error() string {
	if e.Result.Kind == Named {
		return fmt.Sprintf("carries %s, which is mounted only where it is named", e.Result.Type)
	}
	return fmt.Sprintf("carries %s, which is no filesystem", e.Result.Type)
}

// AmbiguousError says that there is more than one signature, so that a choice
// would be a guess.
type AmbiguousError struct{ Found []Result }

// Error names the formats.
func (e *AmbiguousError) Error() string {
	var types []string
	for _, r := range e.Found {
		types = append(types, r.Type)
	}
	return "carries more than one signature: " + strings.Join(types, ", ")
}

// Probe finds the one filesystem on a device of size bytes. The error is
// ErrNone, an *OtherError, an *AmbiguousError, or that of reading.
func Probe(r io.ReaderAt, size int64) (Result, error) {
	found, err := Signatures(r, size)
	switch {
	case err != nil:
		return Result{}, err
	case len(found) == 0:
		return Result{}, ErrNone
	case len(found) > 1:
		return Result{}, &AmbiguousError{Found: found}
	case found[0].Kind != Filesystem:
		return Result{}, &OtherError{Result: found[0]}
	}
	return found[0], nil
}

// prober looks for one format. It returns nil if the image has another format.
type prober func(image) (*Result, error)

// probers are in the order of Signatures. Those of partition tables come last,
// because Signatures looks at what was found before.
func probers() []prober {
	all := []prober{
		probeLUKS, probeLVM, probeRAID, probeSwap, probeThinMetadata, probeZFS,
		probeExt, probeXFS, probeBtrfs, probeF2FS, probeErofs, probeSquashfs, probeISO,
		probeNTFS, probeExfat, probeVFAT, probeUDF,
	}
	for _, f := range formats {
		all = append(all, f.probe)
	}
	return append(all, probeGPT, probeDOS)
}

// Signatures lists every signature on a device of size bytes. The boot sector
// of a filesystem ends with the bytes of a DOS partition table, so that such a
// table is left out where there is a filesystem.
func Signatures(r io.ReaderAt, size int64) ([]Result, error) {
	var found []Result
	for _, probe := range probers() {
		one, err := probe(image{r, size})
		if err != nil {
			return nil, err
		}
		if one == nil || one.Type == "dos" && slices.ContainsFunc(found, Result.isFilesystem) {
			continue
		}
		found = append(found, *one)
	}
	return found, nil
}

// image is the device, and its size in bytes.
type image struct {
	r    io.ReaderAt
	size int64
}

// at reads n bytes at an offset, or nil where the device is too short for them.
func (i image) at(off int64, n int) ([]byte, error) {
	if off < 0 || off > i.size-int64(n) {
		return nil, nil
	}
	b := make([]byte, n)
	if got, err := i.r.ReadAt(b, off); err != nil && !(errors.Is(err, io.EOF) && got == n) {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, fmt.Errorf("reading %d bytes at %d: %w", n, off, err)
	}
	return b, nil
}

// uuid is 16 bytes in the usual form, or "" for zeroes.
func uuid(b []byte) string {
	if zero(b) {
		return ""
	}
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:32]
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// text is what is before the first NUL, without spaces at its end.
func text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return strings.TrimRight(s, " ")
}

// plain is a UUID that is text on the device, or "" if it has anything but
// letters, digits and hyphens: it ends up in terminals and paths.
func plain(s string) string {
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return s
}

// utf16Text is text in UTF-16 of either byte order.
func utf16Text(b []byte, unit func([]byte) uint16) string {
	var units []uint16
	for len(b) >= 2 {
		u := unit(b)
		if u == 0 {
			break
		}
		units, b = append(units, u), b[2:]
	}
	return strings.TrimRight(string(utf16.Decode(units)), " ")
}

func powerOfTwo(n uint64) bool { return n != 0 && n&(n-1) == 0 }
