package thinpool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

func anyDev(t *rapid.T, label string) dm.DevNo {
	return dm.DevNo{Major: rapid.Uint32Range(0, 4095).Draw(t, label),
		Minor: rapid.Uint32Range(0, 1<<20-1).Draw(t, label)}
}

var anyOnFull = rapid.SampledFrom([]spec.OnFull{spec.OnFullError, spec.OnFullQueue})

func TestTableRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Table{
			Metadata: anyDev(t, "metadata"), Data: anyDev(t, "data"),
			Size:      dm.Sectors(rapid.Uint64().Draw(t, "size")),
			BlockSize: dm.Sectors(rapid.Uint32().Draw(t, "block")),
			LowWater:  rapid.Uint64().Draw(t, "low"), OnFull: anyOnFull.Draw(t, "full"),
			SkipZeroing:       rapid.Bool().Draw(t, "skip"),
			IgnoreDiscard:     rapid.Bool().Draw(t, "ignore"),
			NoDiscardPassdown: rapid.Bool().Draw(t, "pass"), ReadOnly: rapid.Bool().Draw(t, "ro"),
		}
		if got, err := ParseTable(want.Target()); err != nil || got != want {
			t.Fatalf("%+v became %+v, %v", want, got, err)
		}
	})
}

func TestThinRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Uint32Range(0, uint32(spec.MaxID)).Draw(t, "id")
		want := Thin{Pool: anyDev(t, "pool"), ID: spec.ID(id),
			Size: dm.Sectors(rapid.Uint64().Draw(t, "size"))}
		if rapid.Bool().Draw(t, "external") {
			d := anyDev(t, "external")
			want.External = &d
		}
		got, err := ParseThin(want.Target())
		if err != nil || got.Pool != want.Pool || got.ID != want.ID || got.Size != want.Size ||
			(got.External == nil) != (want.External == nil) {
			t.Fatalf("%+v became %+v, %v", want, got, err)
		}
	})
}

func TestTableAsTheKernelWantsIt(t *testing.T) {
	got := Table{Metadata: dm.DevNo{Major: 253, Minor: 1}, Data: dm.DevNo{Major: 253}, Size: 1000,
		BlockSize: 128, LowWater: 7, OnFull: spec.OnFullError}.Target()
	if want := "0 1000 thin-pool 253:1 253:0 128 7 1 error_if_no_space"; got.String() != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCheckBlockSize(t *testing.T) {
	for size, ok := range map[dm.Sectors]bool{
		128: true, 256: true, 384: true, 2097152: true, 0: false, 64: false, 100: false, 192: false,
		2097280: false,
	} {
		if err := CheckBlockSize(size); (err == nil) != ok {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestMetadataSize(t *testing.T) {
	for _, row := range []struct {
		data int64
		want int64
	}{{1 << 30, 64 << 20}, {100 << 30, 200 << 20}, {1 << 62, MaxMetadata}, {0, 64 << 20}} {
		if got := MetadataSize(row.data, 128); got != row.want || got%MetadataBlock != 0 {
			t.Errorf("%d: %d, want %d", row.data, got, row.want)
		}
	}
}

func TestParseStatus(t *testing.T) {
	for _, row := range []struct {
		line string
		want Status
	}{
		{"41 61/512 10/20 - rw discard_passdown error_if_no_space - 128 ",
			Status{Mode: ModeRW, TransactionID: 41, MetaUsed: 61, MetaTotal: 512, DataUsed: 10,
				DataTotal: 20, Discard: "discard_passdown",
				OnFull: spec.OnFullError, MetaLowWater: 128}},
		{"0 1/2 3/4 99 ro no_discard_passdown queue_if_no_space needs_check 1024",
			Status{Mode: ModeRO, MetaUsed: 1, MetaTotal: 2, DataUsed: 3, DataTotal: 4, HeldRoot: 99,
				Discard: "no_discard_passdown", OnFull: spec.OnFullQueue, NeedsCheck: true,
				MetaLowWater: 1024}},
		{"0 1/2 4/4 - out_of_data_space ignore_discard queue_if_no_space",
			Status{Mode: ModeOutOfData, MetaUsed: 1, MetaTotal: 2, DataUsed: 4, DataTotal: 4,
				Discard: "ignore_discard", OnFull: spec.OnFullQueue}},
		{"0 1/2 3/4 - rw",
			Status{Mode: ModeRW, MetaUsed: 1, MetaTotal: 2, DataUsed: 3, DataTotal: 4}},
		{"0 1/2 3/4 - rw discard_passdown queue_if_no_space - 5 something new",
			Status{Mode: ModeRW, MetaUsed: 1, MetaTotal: 2, DataUsed: 3, DataTotal: 4,
				Discard: "discard_passdown", OnFull: spec.OnFullQueue, MetaLowWater: 5}},
		{"Fail", Status{Mode: ModeFail}},
		{"Error", Status{Mode: ModeError}},
	} {
		if got, err := ParseStatus(row.line); err != nil || got != row.want {
			t.Errorf("%q: %+v, %v", row.line, got, err)
		}
	}
	for _, bad := range []string{
		"", "0", "x 1/2 3/4 - rw", "0 1 3/4 - rw", "0 1/2 3/4 y rw", "0 1/2 3/4 - nonsense",
	} {
		if s, err := ParseStatus(bad); err == nil {
			t.Errorf("%q: %+v", bad, s)
		}
	}
}

// Whatever a pool refuses, it says what it is and the way out.
func TestWritable(t *testing.T) {
	for _, s := range []Status{{Mode: ModeRW}, {Mode: ModeOutOfData}} {
		if err := s.Writable(); err != nil {
			t.Errorf("%s: %v", s.Mode, err)
		}
	}
	for word, s := range map[string]Status{
		"failed": {Mode: ModeFail}, "metadata is full": {Mode: ModeRO},
		"needs a check": {Mode: ModeRO, NeedsCheck: true},
	} {
		if err := s.Writable(); !errors.Is(err, ErrMode) || !strings.Contains(err.Error(), word) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestParseThinStatus(t *testing.T) {
	s, err := ParseThinStatus("2048 4095")
	if err != nil || s.Mapped != 2048 || s.Highest == nil || *s.Highest != 4095 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := ParseThinStatus("0 -"); err != nil || s.Mapped != 0 || s.Highest != nil || s.Fail {
		t.Errorf("%+v, %v", s, err)
	}
	for _, fail := range []string{"Fail", "Error", "-"} {
		if s, err := ParseThinStatus(fail); err != nil || !s.Fail {
			t.Errorf("%s: %+v, %v", fail, s, err)
		}
	}
	if _, err := ParseThinStatus("x y"); err == nil {
		t.Error("nonsense was taken")
	}
}

// A status that was taken tells a mode, and no more than stands in the line: in
// the kernel's words it is taken again, as the same.
func FuzzParseStatus(f *testing.F) {
	for _, s := range []string{
		"41 61/512 10/20 - rw discard_passdown error_if_no_space - 128 ", "Fail", "Error",
		"0 1/2 3/4 99 ro no_discard_passdown queue_if_no_space needs_check 1024",
		"0 1/2 4/4 - out_of_data_space ignore_discard queue_if_no_space", "0 1/2 3/4 - rw",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, err := ParseStatus(line)
		if err != nil {
			if s != (Status{}) {
				t.Errorf("%q: %+v with %v", line, s, err)
			}
			return
		}
		if s.Mode == ModeFail || s.Mode == ModeError {
			if s != (Status{Mode: s.Mode}) || s.Writable() == nil {
				t.Errorf("%q: %+v", line, s)
			}
			return
		}
		words := []string{string(s.Mode), s.Discard}
		if s.OnFull != "" {
			words = append(words, string(s.OnFull)+"_if_no_space")
		}
		if s.NeedsCheck {
			words = append(words, "needs_check")
		}
		again := fmt.Sprintf("%d %d/%d %d/%d %d %s %d", s.TransactionID, s.MetaUsed, s.MetaTotal,
			s.DataUsed, s.DataTotal, s.HeldRoot, strings.Join(words, " "), s.MetaLowWater)
		if got, err := ParseStatus(again); err != nil || got != s {
			t.Errorf("%q is %+v, and %q is %+v, %v", line, s, again, got, err)
		}
		if bad := s.NeedsCheck || s.Mode == ModeRO; bad != (s.Writable() != nil) {
			t.Errorf("%+v: %v", s, s.Writable())
		}
	})
}

func FuzzParseThinStatus(f *testing.F) {
	for _, s := range []string{
		"2048 4095", "0 -", "Fail", "Error", "-", "1 2 3", "18446744073709551615 0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, err := ParseThinStatus(line)
		if err != nil || s.Fail {
			if s.Mapped != 0 || s.Highest != nil || s.Fail == (err != nil) {
				t.Errorf("%q: %+v, %v", line, s, err)
			}
			return
		}
		highest := "-"
		if s.Highest != nil {
			highest = fmt.Sprint(uint64(*s.Highest))
		}
		words := strings.Fields(line)
		if n := strings.TrimLeft(words[0], "0"); n != strings.TrimLeft(fmt.Sprint(uint64(s.Mapped)),
			"0") {
			t.Errorf("%q: %d mapped", line, s.Mapped)
		}
		if n := strings.TrimLeft(words[1], "0"); n != strings.TrimLeft(highest, "0") {
			t.Errorf("%q: highest is %s", line, highest)
		}
	})
}

// A superblock of any bytes is refused, or is in bounds; what is refused says
// why.
func FuzzSuperblock(f *testing.F) {
	b := sample().block(0)
	f.Add(b[:], true)
	f.Add(b[:400], true)
	f.Add(b[:400], false)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, head []byte, seal bool) {
		m := newImage(1)
		copy(m, head)
		if seal {
			m.seal(0, superblockSalt)
		}
		s, err := ReadSuperblock(bytes.NewReader(m))
		le := binary.LittleEndian
		switch zero := bytes.Equal(m, make([]byte, len(m))); {
		case err != nil && s != (Superblock{}):
			t.Errorf("%+v with %v", s, err)
		case zero != errors.Is(err, ErrUnformatted), err != nil && !zero &&
			!errors.Is(err, ErrBadSuperblock):
			t.Error(err)
		case err == nil && (le.Uint64(m[32:]) != superblockMagic ||
			le.Uint32(m) != checksum(m, superblockSalt) || s.Version < 1 || s.Version > 2):
			t.Errorf("%+v was taken", s)
		case err == nil && (s.TransactionID != le.Uint64(m[48:]) ||
			s.DataBlocks != le.Uint64(m[64:]) || uint32(s.BlockSize) != le.Uint32(m[336:])):
			t.Errorf("%+v", s)
		}
	})
}

func FuzzParseTable(f *testing.F) {
	f.Add("253:1 253:0 128 7 1 error_if_no_space")
	f.Add("253:1 1 253:9")
	f.Fuzz(func(t *testing.T, s string) {
		if thin, err := ParseThin(dm.Target{Type: "thin", Params: s}); err == nil {
			if again, err := ParseThin(thin.Target()); err != nil ||
				again.Target() != thin.Target() || thin.ID > spec.MaxID {
				t.Errorf("%q: %+v became %+v, %v", s, thin, again, err)
			}
		}
		if table, err := ParseTable(dm.Target{Type: "thin-pool", Params: s}); err == nil {
			if again, err := ParseTable(table.Target()); err != nil || again != table {
				t.Errorf("%q: %+v became %+v, %v", s, table, again, err)
			}
		}
	})
}

// Writes wait in a pool that queues and is full, whether it has noticed or not.
func TestQueues(t *testing.T) {
	for line, want := range map[string]bool{
		"1 9/512 100/100 - out_of_data_space discard_passdown queue_if_no_space - 48": true,
		"1 9/512 100/100 - out_of_data_space discard_passdown error_if_no_space - 48": false,
		"1 9/512 100/100 - rw discard_passdown queue_if_no_space - 48":                true,
		"1 9/512 100/100 - rw discard_passdown error_if_no_space - 48":                false,
		"1 9/512 99/100 - rw discard_passdown queue_if_no_space - 48":                 false,
		"1 9/512 100/100 - ro discard_passdown queue_if_no_space - 48":                false,
		"Fail": false,
	} {
		if st, err := ParseStatus(line); err != nil || st.Queues() != want {
			t.Errorf("%s: %v, %v; want %v", line, st.Queues(), err, want)
		}
	}
}
