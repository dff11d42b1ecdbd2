// Package fsprobe tells which filesystem lies on a device, as `blkid -p` does,
// from its superblock: one file a format, its source named on top. It reads a
// bounded number of bytes at places that a hostile image can choose only within
// the device, and never follows a chain without an end.
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

// Kinds.
const (
	Filesystem Kind = iota
	Container       // holds something else: a volume group, an encrypted volume, partitions, swap
	Named           // a filesystem that is told by its name, and mounted only by whoever names it
)

// Result is one signature that was found. The words are blkid's.
type Result struct {
	Type  string
	UUID  string
	Label string
	Kind  Kind
}

func (r Result) isFilesystem() bool { return r.Kind != Container }

// ErrNone says that nothing is known of what lies there, if anything does.
var ErrNone = errors.New("no filesystem on it")

// OtherError says that what lies there is no filesystem, or none that is mounted
// without its name.
type OtherError struct{ Result Result }

// Error implements error.
func (e *OtherError) Error() string {
	if e.Result.Kind == Named {
		return fmt.Sprintf("carries %s, which is mounted only where it is named", e.Result.Type)
	}
	return fmt.Sprintf("carries %s, which is no filesystem", e.Result.Type)
}

// AmbiguousError says that more than one signature lies there: to choose would
// be to guess.
type AmbiguousError struct{ Found []Result }

// Error implements error.
func (e *AmbiguousError) Error() string {
	var types []string
	for _, r := range e.Found {
		types = append(types, r.Type)
	}
	return "carries more than one signature: " + strings.Join(types, ", ")
}

// Probe finds the one filesystem on a device of size bytes. Otherwise the error
// is ErrNone, *OtherError or *AmbiguousError, or that of reading.
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

// prober looks for one format. It returns nil when it is not that.
type prober func(image) (*Result, error)

// probers is in the order in which findings are told.
func probers() []prober {
	all := []prober{
		probeLUKS, probeLVM, probeRAID, probeSwap, probeThinMetadata, probeZFS,
		probeExt, probeXFS, probeBtrfs, probeF2FS, probeErofs, probeSquashfs, probeISO,
		probeNTFS, probeExfat, probeVFAT, probeUDF,
	}
	for _, f := range foreigners {
		all = append(all, f.probe)
	}
	return append(all, probeGPT, probeDOS)
}

// Signatures lists everything that is found on a device of size bytes. The boot
// sector of a filesystem ends as a partition table of DOS does; beside a
// filesystem that is no finding.
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

// image is the device that is looked at.
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

// uuid is 16 bytes in the usual form; all zero is none.
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

// text is what stands before the first NUL, without spaces at its end.
func text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return strings.TrimRight(s, " ")
}

// plain is a UUID that stands as text on the device, where it is one: no more
// than letters, digits and hyphens.
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
