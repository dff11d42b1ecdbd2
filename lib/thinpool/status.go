package thinpool

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

// Mode is what a pool can do at the moment, in the words of its status line.
// The kernel orders the modes (drivers/md/dm-thin.c, enum pool_mode). A pool
// that is out of data comes back to rw as soon as it has room. "ro" stands for
// two modes. A pool that is out of metadata comes back when its metadata has
// grown and it is resumed. One whose metadata could not be written needs a
// check. "Fail" ends when the device is removed and made again.
type Mode string

const (
	ModeRW        Mode = "rw"
	ModeRO        Mode = "ro"
	ModeOutOfData Mode = "out_of_data_space"
	ModeFail      Mode = "fail"
	ModeError     Mode = "error" // the status itself could not be had
)

// Status is a pool's status line.
type Status struct {
	Mode          Mode
	TransactionID uint64
	// MetaUsed and MetaTotal count blocks of 4096 bytes. What is used includes
	// a reserve that the kernel keeps for itself: a tenth, 4096 blocks at most
	// (dm-thin-metadata.c, __set_metadata_reserve). So a new pool has used some
	// already, and is out of metadata when MetaUsed reaches MetaTotal.
	MetaUsed  uint64
	MetaTotal uint64
	DataUsed  uint64 // blocks of the pool
	DataTotal uint64
	HeldRoot  uint64 // block of a metadata snapshot; 0 without one
	// Discard is what is done, which may be less than the table asks for:
	// where the data device takes no discards, or too small ones, the kernel
	// turns the passing down off (pool_io_hints).
	Discard string // "discard_passdown", …
	// OnFull turns from OnFullQueue to OnFullError when writes have waited for
	// too long (do_no_space_timeout), until the next resume.
	OnFull spec.OnFull
	// NeedsCheck is in the superblock, and outlives the device: thin_check(8)
	// clears it, and nothing in the kernel does.
	NeedsCheck   bool
	MetaLowWater uint64 // blocks of 4096 bytes; 0 on kernels that do not tell
}

// ParseStatus reads the status line of a pool (drivers/md/dm-thin.c,
// pool_status). Older kernels have fewer fields. Words that are not known, as
// newer kernels may have, are left out.
func ParseStatus(params string) (Status, error) {
	switch strings.TrimSpace(params) {
	case "Fail":
		return Status{Mode: ModeFail}, nil
	case "Error":
		return Status{Mode: ModeError}, nil
	}
	f := strings.Fields(params)
	if len(f) < 5 {
		return Status{}, fmt.Errorf("thin-pool status %q: has %d fields, want at least 5",
			params, len(f))
	}
	var s Status
	var errs [4]error
	s.TransactionID, errs[0] = strconv.ParseUint(f[0], 10, 64)
	s.MetaUsed, s.MetaTotal, errs[1] = parseRatio(f[1])
	s.DataUsed, s.DataTotal, errs[2] = parseRatio(f[2])
	if f[3] != "-" {
		s.HeldRoot, errs[3] = strconv.ParseUint(f[3], 10, 64)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return Status{}, fmt.Errorf("thin-pool status %q: %w", params, err)
	}
	for _, word := range f[4:] {
		s.word(word)
	}
	if s.Mode == "" {
		return Status{}, fmt.Errorf("thin-pool status %q: tells no mode", params)
	}
	return s, nil
}

// word takes in one of the words behind the counts. A number among them is the
// low-water mark of the metadata: older kernels print none.
func (s *Status) word(w string) {
	switch w {
	case "rw", "ro", "out_of_data_space":
		s.Mode = Mode(w)
	case "ignore_discard", "discard_passdown", "no_discard_passdown":
		s.Discard = w
	case errorIfNoSpace:
		s.OnFull = spec.OnFullError
	case "queue_if_no_space":
		s.OnFull = spec.OnFullQueue
	case "needs_check":
		s.NeedsCheck = true
	default:
		if n, err := strconv.ParseUint(w, 10, 64); err == nil && s.MetaLowWater == 0 {
			s.MetaLowWater = n
		}
	}
}

// parseRatio reads USED/TOTAL.
func parseRatio(s string) (used, total uint64, err error) {
	a, b, ok := strings.Cut(s, "/")
	used, errA := strconv.ParseUint(a, 10, 64)
	total, errB := strconv.ParseUint(b, 10, 64)
	if err = errors.Join(errA, errB); !ok && err == nil {
		err = fmt.Errorf("%q is no USED/TOTAL", s)
	}
	return used, total, err
}

// ErrMode is a pool that refuses messages. The text of the error says why.
var ErrMode = errors.New("pool refuses changes")

// modeError is an ErrMode; its text is the state.
type modeError string

func (e modeError) Error() string        { return string(e) }
func (e modeError) Is(target error) bool { return target == ErrMode }

// Failed reports whether the pool serves neither I/O nor messages.
func (s Status) Failed() bool { return s.Mode == ModeFail || s.Mode == ModeError }

// Queues reports whether writes that need new blocks wait for room. The kernel
// lets them fail after a minute (module parameter no_space_timeout), and says
// so in its log. A full pool that was just activated is in mode rw until the
// first write needs a block (drivers/md/dm-thin.c, alloc_data_block), so that
// the counts are looked at as well.
func (s Status) Queues() bool {
	noneFree := s.DataTotal > 0 && s.DataUsed >= s.DataTotal
	full := s.Mode == ModeOutOfData || s.Mode == ModeRW && noneFree
	return full && s.OnFull == spec.OnFullQueue
}

// OutOfData reports whether writes that need new blocks fail, or wait for room.
// A pool that lets them fail shows its mode at the first such write.
func (s Status) OutOfData() bool { return s.Mode == ModeOutOfData || s.Queues() }

// Writable returns nil if the pool takes messages, and an ErrMode otherwise.
func (s Status) Writable() error {
	switch {
	case s.Failed():
		return modeError("has failed: its metadata cannot be written, " +
			"and what was begun cannot be undone")
	// The mark is set before the mode changes (drivers/md/dm-thin.c,
	// metadata_operation_failed): it counts in any mode.
	case s.NeedsCheck:
		return modeError("read-only: a write of its metadata failed, " +
			"and the metadata needs a check")
	// Without the mark it is PM_OUT_OF_METADATA_SPACE, which prints "ro" as
	// well (pool_status).
	case s.Mode == ModeRO:
		return modeError("read-only: its metadata is full")
	}
	return nil
}

// ThinStatus is the status line of a thin device. Fail says that the kernel
// cannot tell the numbers: the pool has failed, or its metadata cannot be read.
type ThinStatus struct {
	Mapped  dm.Sectors  // with those shared with other devices
	Highest *dm.Sectors // the last mapped sector; nil if none is mapped
	Fail    bool
}

// ParseThinStatus reads the status line of a thin device (drivers/md/dm-thin.c,
// thin_status). "Fail" is printed where the pool has failed, "Error" where its
// metadata cannot be read.
func ParseThinStatus(params string) (ThinStatus, error) {
	switch strings.TrimSpace(params) {
	case "Fail", "Error", "-":
		return ThinStatus{Fail: true}, nil
	}
	f := strings.Fields(params)
	if len(f) < 2 {
		return ThinStatus{}, fmt.Errorf("thin status %q: has %d fields, want 2", params, len(f))
	}
	mapped, err := strconv.ParseUint(f[0], 10, 64)
	if err != nil {
		return ThinStatus{}, fmt.Errorf("thin status %q: %w", params, err)
	}
	s := ThinStatus{Mapped: dm.Sectors(mapped)}
	if f[1] == "-" {
		return s, nil
	}
	n, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		return ThinStatus{}, fmt.Errorf("thin status %q: %w", params, err)
	}
	highest := dm.Sectors(n)
	s.Highest = &highest
	return s, nil
}
