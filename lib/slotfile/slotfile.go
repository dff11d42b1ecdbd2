// Package slotfile replaces the content of a small file in place. The file has
// two slots. A write goes to the older slot and costs one fdatasync(2) of
// blocks that the file has already: no block is allocated, no name changes, and
// the filesystem's own journal need not be written. So a write succeeds on a
// full disk, too, unless the filesystem copies on write.
//
// A reader finds the content of the newest slot that is whole. If the power
// fails during a write, or a reader comes during one, that is the old content
// or the new one.
//
// Each slot is text: a line with the number of the write, the length and a
// checksum, and the content.
//
// Do not use it for a file that people edit, or where two writers may come at
// once: callers hold a lock. A backup that is a hard link would change, too:
// callers look for that. For files that are read more often than written,
// package atomicfile is the simpler way.
package slotfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"thinmount/lib/crc32c"
)

// slotSize is the size of a slot, in bytes. The file has two.
const slotSize = 64 << 10

// MaxContent is the largest content, in bytes.
const MaxContent = slotSize - headerSize

// headerSize is the length of the line before the content, in bytes.
const headerSize = 64

// firstRead is how much of a slot is read at first, in bytes: most contents
// need no second read.
const firstRead = 4 << 10

// ErrTorn says that neither slot is whole.
var ErrTorn = errors.New("neither of its two slots is whole")

// header returns the line before a content: 64 bytes.
func header(number uint64, content []byte) []byte {
	h := fmt.Sprintf("slot %020d %08d %08x", number, len(content), sum(number, content))
	return fmt.Appendf(nil, "%-*s\n", headerSize-1, h)
}

// sum is the checksum of a slot. It covers the number, too: half of a header
// may be old.
func sum(number uint64, content []byte) uint32 {
	return crc32c.Update(crc32c.Sum(fmt.Append(nil, number)), content)
}

// parseHeader reads what header has written.
func parseHeader(b []byte) (number uint64, length int, want uint32, ok bool) {
	if len(b) < headerSize {
		return 0, 0, 0, false
	}
	f := strings.Fields(string(b[:headerSize]))
	if len(f) != 4 || f[0] != "slot" {
		return 0, 0, 0, false
	}
	number, err1 := strconv.ParseUint(f[1], 10, 64)
	n, err2 := strconv.ParseUint(f[2], 10, 32)
	c, err3 := strconv.ParseUint(f[3], 16, 32)
	ok = err1 == nil && err2 == nil && err3 == nil && n <= MaxContent && number > 0
	return number, int(n), uint32(c), ok
}

// Size is the size of the file, in bytes.
const Size = 2 * slotSize

// New returns what a new file is to hold: content in the first slot, as number
// 1, and an empty second slot. The slots are not holes, so that both have
// blocks.
func New(content []byte) ([]byte, error) {
	if err := fits(content); err != nil {
		return nil, err
	}
	b := make([]byte, Size)
	copy(b, header(1, content))
	copy(b[headerSize:], content)
	return b, nil
}

func fits(content []byte) error {
	if len(content) > MaxContent {
		return fmt.Errorf("content of %d bytes is more than %d", len(content), MaxContent)
	}
	return nil
}

// Read returns the newest whole content, and the number of its write. If there
// is none, the error is ErrTorn.
func Read(f io.ReaderAt) (content []byte, number uint64, err error) {
	// A writer that writes both slots while we read may leave us neither.
	for range 3 {
		for slot := range int64(2) {
			b, n, err := readSlot(f, slot)
			if err != nil {
				return nil, 0, err
			}
			if n > number {
				content, number = b, n
			}
		}
		if number > 0 {
			return content, number, nil
		}
	}
	return nil, 0, ErrTorn
}

// readSlot returns the content of a slot, and number 0 if the slot is not
// whole.
func readSlot(f io.ReaderAt, slot int64) (content []byte, number uint64, err error) {
	b := make([]byte, firstRead)
	n, err := f.ReadAt(b, slot*slotSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	number, length, want, ok := parseHeader(b[:n])
	if !ok {
		return nil, 0, nil
	}
	b = b[:n]
	if rest := headerSize + length - n; rest > 0 {
		more := make([]byte, rest)
		if _, err := f.ReadAt(more, slot*slotSize+int64(n)); errors.Is(err, io.EOF) {
			return nil, 0, nil
		} else if err != nil {
			return nil, 0, err
		}
		b = append(b, more...)
	}
	content = b[headerSize : headerSize+length]
	if !isWhole(slot, b[:headerSize+length], func() bool { return sum(number, content) == want }) {
		return nil, 0, nil
	}
	return content, number, nil
}

// whole has a copy of the last slot that was found whole, for each of the two
// slots. A command reads the same file several times, and a comparison takes
// much less time than a checksum.
var whole struct {
	sync.Mutex
	slots [2][]byte
}

// isWhole reports whether a slot is whole. b is its header and its content.
func isWhole(slot int64, b []byte, sumFits func() bool) bool {
	whole.Lock()
	defer whole.Unlock()
	if bytes.Equal(b, whole.slots[slot]) {
		return true
	}
	if !sumFits() {
		return false
	}
	whole.slots[slot] = bytes.Clone(b)
	return true
}

// Write replaces the content of f, which New has made. number is that of the
// content which Read has returned; the result is the next number. When Write
// returns nil, the new content is durable. After an error the file has its old
// content, unless the disk refuses even that. before is nil, except in tests,
// which stop there as a crash would: before "overwrite" and "datasync".
func Write(
	f *os.File, number uint64, content []byte, before func(step, path string) error,
) (next uint64, err error) {
	if err := fits(content); err != nil {
		return 0, err
	}
	number++
	slot := int64((number - 1) % 2)
	// A slot with the new number is what a write of ours has left that failed.
	for slot := range int64(2) {
		if _, n, err := readSlot(f, slot); err == nil && n > number {
			return 0, fmt.Errorf("%s: has changed since it was read", f.Name())
		}
	}
	err = overwrite(f, slot, append(header(number, content), content...), before)
	if err == nil {
		return number, nil
	}
	// The other slot has the old content. Make this one unreadable.
	return 0, errors.Join(err, overwrite(f, slot, make([]byte, headerSize), before))
}

// overwrite writes b at the beginning of a slot, durably.
func overwrite(
	f *os.File, slot int64, b []byte, before func(step, path string) error,
) error {
	if err := step(before, "overwrite", f.Name()); err != nil {
		return err
	}
	if _, err := f.WriteAt(b, slot*slotSize); err != nil {
		return err
	}
	if err := step(before, "datasync", f.Name()); err != nil {
		return err
	}
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return &os.PathError{Op: "datasync", Path: f.Name(), Err: err}
	}
	return nil
}

// step calls the hook of a test before a change.
func step(before func(step, path string) error, step, path string) error {
	if before == nil {
		return nil
	}
	return before(step, path)
}
