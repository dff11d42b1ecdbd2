//go:build kernel

package torture

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

// Flags of an entry, and the first word of the log (the kernel's
// drivers/md/dm-log-writes.c).
const (
	logFlush   = 1 << 0
	logFUA     = 1 << 1
	logDiscard = 1 << 2
	logMark    = 1 << 3

	logMagic = 0x6a736677736872
)

// entry is a write to the logged device. The log has them in the order in which
// they became durable: a plain write stands before the flush that covered it,
// one with FUA where it was complete, a mark where it was made.
type entry struct {
	sector, sectors, flags uint64
	data                   int64  // where its data stands in the log
	mark                   string // of a mark
}

// writeLog is what dm-log-writes wrote.
type writeLog struct {
	file    *os.File
	unit    int64 // bytes of a sector
	entries []entry
}

// readLog reads the entries of the log on a device.
func readLog(path string) (_ *writeLog, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	l := &writeLog{file: f}
	super := make([]byte, 28)
	if _, err := f.ReadAt(super, 0); err != nil {
		return nil, err
	}
	if magic := binary.LittleEndian.Uint64(super); magic != logMagic {
		return nil, fmt.Errorf("%s: log-writes: magic is %#x", path, magic)
	}
	n := binary.LittleEndian.Uint64(super[16:])
	l.unit = int64(binary.LittleEndian.Uint32(super[24:]))
	at := l.unit
	for range n {
		e, err := l.entryAt(at)
		if err != nil {
			return nil, fmt.Errorf("%s: log-writes: entry %d: %w", path, len(l.entries), err)
		}
		l.entries = append(l.entries, e)
		if at = e.data; e.flags&logDiscard == 0 {
			at += int64(e.sectors) * l.unit
		}
	}
	return l, nil
}

func (l *writeLog) entryAt(at int64) (entry, error) {
	b := make([]byte, l.unit)
	if _, err := l.file.ReadAt(b, at); err != nil {
		return entry{}, err
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	e := entry{sector: word(0), sectors: word(1), flags: word(2), data: at + l.unit}
	if e.flags >= 1<<5 {
		return entry{}, fmt.Errorf("flags are %#x", e.flags)
	}
	if e.flags&logMark != 0 {
		e.mark = string(b[32:min(32+word(3), uint64(l.unit))])
	}
	return e, nil
}

// apply writes what the entry wrote.
func (l *writeLog) apply(e entry, to *os.File) error {
	if e.sectors == 0 || e.flags&logDiscard != 0 {
		return nil // what was discarded may as well be there
	}
	_, err := io.Copy(io.NewOffsetWriter(to, int64(e.sector)*l.unit),
		io.NewSectionReader(l.file, e.data, int64(e.sectors)*l.unit))
	return err
}

// flushed is how many of the first n entries a flush has covered.
func (l *writeLog) flushed(n int) int {
	for n > 0 && l.entries[n-1].flags&logFlush == 0 {
		n--
	}
	return n
}

// replay brings an image forward along a log.
type replay struct {
	*writeLog
	image *os.File
	next  int // the first entry that is not in the image
}

// cut makes a disk as it may be when the power goes after the first n entries:
// all up to the last flush, what was written with FUA, and a part of the rest.
func (r *replay) cut(n int, rng *rand.Rand, disk string) (lost int, err error) {
	flush := max(r.next, r.flushed(n))
	for ; r.next < flush; r.next++ {
		if err := r.apply(r.entries[r.next], r.image); err != nil {
			return 0, err
		}
	}
	if err := restoreFile(r.image.Name(), disk); err != nil {
		return 0, err
	}
	to, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	kept := rng.Float64()
	for _, e := range r.entries[flush:n] {
		if e.sectors > 0 && e.flags&logFUA == 0 && rng.Float64() >= kept {
			lost++
			continue
		}
		if err := r.apply(e, to); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// seed is the mark that a log of ours begins with.
func (l *writeLog) seed() string {
	for _, e := range l.entries {
		if s, ok := strings.CutPrefix(e.mark, "seed="); ok {
			return s
		}
	}
	return ""
}
