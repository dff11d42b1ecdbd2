package dm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Target is one line of a table, or of a status.
type Target struct {
	Start, Length Sectors // of the device
	Type          string  // "linear", "thin", …
	Params        string  // documented in the kernel's Documentation/admin-guide/device-mapper
}

// String is the line as dmsetup(8) has it: START LENGTH TYPE PARAMS.
func (t Target) String() string {
	return strings.TrimRight(fmt.Sprintf("%d %d %s %s", t.Start, t.Length, t.Type, t.Params), " ")
}

// ParseTarget is the inverse of Target.String.
func ParseTarget(line string) (Target, error) {
	f := strings.SplitN(strings.TrimSpace(line), " ", 4)
	if len(f) < 3 {
		return Target{}, fmt.Errorf("table line %q: want START LENGTH TYPE PARAMS", line)
	}
	start, err := strconv.ParseUint(f[0], 10, 64)
	if err != nil {
		return Target{}, fmt.Errorf("table line %q: start: %w", line, err)
	}
	length, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		return Target{}, fmt.Errorf("table line %q: length: %w", line, err)
	}
	t := Target{Start: Sectors(start), Length: Sectors(length), Type: f[2]}
	if len(f) == 4 {
		t.Params = f[3]
	}
	return t, t.check()
}

// check refuses what would not reach the kernel as it stands: the type has a
// place of 16 bytes, and NUL ends both texts.
func (t Target) check() error {
	n := len(t.Type)
	if n == 0 || n >= unix.DM_MAX_TYPE_NAME || strings.ContainsAny(t.Type, " \x00") {
		return fmt.Errorf("target type %q: 1 to 15 bytes without spaces are allowed", t.Type)
	}
	if len(t.Params) >= maxParams || strings.ContainsRune(t.Params, 0) {
		return fmt.Errorf(
			"target %s: parameters of %d bytes, fewer than %d without NUL are allowed",
			t.Type, len(t.Params), maxParams)
	}
	return nil
}

// encodeTable lays targets out as load wants them: a targetSpec each, with the
// distance to the next. The kernel follows the distances, and reads each spec
// where it then is (drivers/md/dm-ioctl.c, next_target), so that all are at
// multiples of 8.
func encodeTable(targets []Target) ([]byte, error) {
	var out []byte
	for _, t := range targets {
		if err := t.check(); err != nil {
			return nil, err
		}
		size := align(targetSpecSize + len(t.Params) + 1)
		spec := targetSpec{Start: uint64(t.Start), Length: uint64(t.Length), Next: uint32(size)}
		copy(spec.Type[:], t.Type)
		b := make([]byte, size)
		put(b, &spec, targetSpecSize)
		copy(b[targetSpecSize:], t.Params)
		out = append(out, b...)
	}
	return out, nil
}

// decodeTable reads what status and table answer: here the distance to the next
// spec counts from the first (include/uapi/linux/dm-ioctl.h, struct
// dm_target_spec).
func decodeTable(data []byte, count int) ([]Target, error) {
	var targets []Target
	at := 0
	for i := range count {
		if at < 0 || at+targetSpecSize > len(data) {
			return nil, fmt.Errorf("%w: target %d of %d at byte %d of %d",
				errMalformed, i, count, at, len(data))
		}
		b := data[at:]
		spec, _ := get[targetSpec](b, targetSpecSize)
		targets = append(targets, Target{
			Start: Sectors(spec.Start), Length: Sectors(spec.Length),
			Type: cString(spec.Type[:]), Params: cString(b[targetSpecSize:]),
		})
		next := int(spec.Next)
		if i+1 < count && next < at+targetSpecSize {
			return nil, fmt.Errorf("%w: target %d of %d: next at byte %d",
				errMalformed, i, count, next)
		}
		at = next
	}
	return targets, nil
}

// Load loads a table, which the next Resume makes live. A table that is loaded
// already and not yet live is dropped for it. The target checks its parameters,
// and opens the devices that they name: EINVAL, or their error, with the reason
// in the kernel's log. The targets have to follow each other from sector 0 on
// without a gap (drivers/md/dm-table.c, adjoin).
//
// A device below stays open as long as the table is, which its Info.OpenCount
// counts: it cannot be removed before this one. A load holds nothing up: I/O
// goes on with the live table.
//
// A read-only table may be opened for writing, but each write fails. The kernel
// keeps the flag for as long as the table is live.
func (c *Control) Load(r Ref, targets []Target, readOnly bool) error {
	data, err := encodeTable(targets)
	if err != nil {
		return commandError(cmdLoad, r, err)
	}
	_, err = c.do(cmdLoad, r, data, smallBuffer, func(h *header) {
		h.Target_count = uint32(len(targets))
		if readOnly {
			h.Flags |= unix.DM_READONLY_FLAG
		}
	})
	return err
}

// Table returns the live table, and the device's state at the same moment. A
// device without a live table has no lines.
func (c *Control) Table(r Ref) ([]Target, Info, error) {
	if k, ok, gone := c.recall(r); ok && k.table != nil {
		return slices.Clone(k.table), k.info, nil
	} else if gone {
		return nil, Info{}, commandError(cmdTableStatus, r, unix.ENXIO)
	}
	targets, info, err := c.targets(r, unix.DM_STATUS_TABLE_FLAG|unix.DM_NOFLUSH_FLAG)
	if err == nil {
		c.keep(info, targets, nil)
	}
	return targets, info, err
}

// StatusFlags change what Status asks.
type StatusFlags uint32

// StatusNoFlush asks for what the target knows without writing anything.
// Without it a thin-pool commits its metadata first (drivers/md/dm-thin.c,
// pool_status), which waits for its disks.
const StatusNoFlush StatusFlags = unix.DM_NOFLUSH_FLAG

// Status returns the status of each target of the live table, in Target.Params,
// and the device's state at the same moment.
func (c *Control) Status(r Ref, f StatusFlags) ([]Target, Info, error) {
	k, ok, gone := c.recall(r)
	if ok && k.status != nil && f == StatusNoFlush {
		return slices.Clone(k.status), k.info, nil
	} else if gone {
		return nil, Info{}, commandError(cmdTableStatus, r, unix.ENXIO)
	}
	targets, info, err := c.targets(r, uint32(f))
	if err == nil && f == StatusNoFlush {
		c.keep(info, nil, targets)
	}
	return targets, info, err
}

// targets asks for the lines of the live table: for their parameters, or for
// their status. The kernel answers both by one command.
func (c *Control) targets(r Ref, flags uint32) ([]Target, Info, error) {
	req, err := c.do(cmdTableStatus, r, nil, largeBuffer, func(h *header) { h.Flags |= flags })
	if err != nil {
		return nil, Info{}, err
	}
	data, err := req.answer()
	if err != nil {
		return nil, Info{}, commandError(cmdTableStatus, r, err)
	}
	info := infoOf(req.header())
	targets, err := decodeTable(data, info.TargetCount)
	return targets, info, commandError(cmdTableStatus, r, err)
}

// encodeMessage lays out a targetMsg and its text. The kernel wants the NUL
// within the buffer (drivers/md/dm-ioctl.c, target_message).
func encodeMessage(sector Sectors, msg string) []byte {
	b := make([]byte, targetMsgSize, targetMsgSize+len(msg)+1)
	put(b, &targetMsg{uint64(sector)}, targetMsgSize)
	return append(append(b, msg...), 0)
}
