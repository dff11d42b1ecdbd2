package dm

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Target is one line of a table, or of a status.
type Target struct {
	Start, Length Sectors
	Type          string // "linear", "thin", …
	Params        string
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

func (t Target) check() error {
	if t.Type == "" || len(t.Type) > 15 || strings.ContainsAny(t.Type, " \x00") {
		return fmt.Errorf("target type %q: 1 to 15 bytes without spaces are allowed", t.Type)
	}
	if len(t.Params) >= maxParams || strings.ContainsRune(t.Params, 0) {
		return fmt.Errorf("target %s: parameters of %d bytes, fewer than %d without NUL are allowed", t.Type, len(t.Params), maxParams)
	}
	return nil
}

// encodeTable lays targets out as table load wants them: each spec says how far
// it is to the next, and begins at a multiple of 8 bytes.
func encodeTable(targets []Target) ([]byte, error) {
	var out []byte
	for _, t := range targets {
		if err := t.check(); err != nil {
			return nil, err
		}
		size := (targetSpecSize + len(t.Params) + 1 + 7) &^ 7
		b := make([]byte, size)
		ne := binary.NativeEndian
		ne.PutUint64(b[0:], uint64(t.Start))
		ne.PutUint64(b[8:], uint64(t.Length))
		ne.PutUint32(b[20:], uint32(size))
		copy(b[24:], t.Type)
		copy(b[targetSpecSize:], t.Params)
		out = append(out, b...)
	}
	return out, nil
}

// decodeTable reads what status and table answer: each spec says how far the
// next is from the first.
func decodeTable(data []byte, count int) ([]Target, error) {
	var targets []Target
	at := 0
	for i := range count {
		if at < 0 || at+targetSpecSize > len(data) {
			return nil, fmt.Errorf("%w: target %d of %d at byte %d of %d", errMalformed, i, count, at, len(data))
		}
		b, ne := data[at:], binary.NativeEndian
		targets = append(targets, Target{
			Start: Sectors(ne.Uint64(b)), Length: Sectors(ne.Uint64(b[8:])),
			Type: cString(b[24:40]), Params: cString(b[targetSpecSize:]),
		})
		next := int(ne.Uint32(b[20:]))
		if i+1 < count && next < at+targetSpecSize {
			return nil, fmt.Errorf("%w: target %d of %d: next at byte %d", errMalformed, i, count, next)
		}
		at = next
	}
	return targets, nil
}

// Load loads a table, which the next Resume makes live.
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

// Table returns the live table.
func (c *Control) Table(r Ref) ([]Target, Info, error) {
	return c.targets(r, unix.DM_STATUS_TABLE_FLAG|unix.DM_NOFLUSH_FLAG)
}

// StatusFlags change what Status asks.
type StatusFlags uint32

// Flags of Status.
const (
	StatusNoFlush  StatusFlags = unix.DM_NOFLUSH_FLAG // do not make targets write to disk first: a thin-pool would commit
	StatusInactive StatusFlags = unix.DM_QUERY_INACTIVE_TABLE_FLAG
)

// Status returns the status of each target of the live table.
func (c *Control) Status(r Ref, f StatusFlags) ([]Target, Info, error) {
	return c.targets(r, uint32(f))
}

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

// encodeMessage lays out struct dm_target_msg: the sector, then the text.
func encodeMessage(sector Sectors, msg string) []byte {
	b := binary.NativeEndian.AppendUint64(nil, uint64(sector))
	return append(append(b, msg...), 0)
}
