package thinpool

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

func TestReadRanges(t *testing.T) {
	for _, row := range []struct {
		m    image
		id   spec.ID
		gap  uint64
		want []Range
	}{
		{mappedSample(), 1, 0, []Range{{0, 1}, {99, 100}}},
		{mappedSample(), 1, 97, []Range{{0, 1}, {99, 100}}},
		{mappedSample(), 1, 98, []Range{{0, 100}}},
		{mappedSample(), 2, 3, []Range{{0, 1}, {200, 205}}},
		{mappedSample(), 9, 3, nil},
		{mappedSample(), 0, 3, nil},
		{mappedSample(), 5, 3, nil},
		{sharedSample(), 9, 0, []Range{{0, 1}, {99, 100}, {200, 201}, {204, 205}}},
	} {
		got, err := ReadRanges(t.Context(), bytes.NewReader(row.m), 0, row.id, row.gap)
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("device %d, gap %d: %v, %v, want %v", row.id, row.gap, got, err, row.want)
		}
	}
}

func TestReadRangesOfHostileTrees(t *testing.T) {
	for what, m := range map[string]image{
		"out of order": mappedSample().mapping(10, true, []uint64{99, 0}, child(1<<24, 2<<24)),
		"no place":     mappedSample().mapping(11, false, []uint64{0, 200}, child(12, 12)),
		"last block": mappedSample().mapping(10, true, []uint64{0, 1<<64 - 1},
			child(1<<24, 2<<24)),
		"loop": mappedSample().mapping(9, false, []uint64{1, 2}, child(9, 9)),
	} {
		if got, err := ReadRanges(t.Context(), bytes.NewReader(m), 0, 1, 0); err == nil &&
			what != "no place" {
			t.Errorf("%s: %v", what, got)
		}
		if got, err := ReadRanges(t.Context(), bytes.NewReader(m), 0, 2, 0); err == nil &&
			(what == "no place" || what == "loop") {
			t.Errorf("%s: %v", what, got)
		}
	}
	c := &counting{r: bytes.NewReader(wide())}
	if _, err := ReadRanges(t.Context(), c, 0, 1, 0); c.n > 64 {
		t.Errorf("%d reads, %v", c.n, err)
	}
}

func TestReadRangesIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadRanges(ctx, bytes.NewReader(mappedSample()), 0, 1, 0); !errors.Is(err,
		context.Canceled) {
		t.Error(err)
	}
}

// What is found is in order and apart by more than the gap, and a walk over any
// blocks ends.
func FuzzReadRanges(f *testing.F) {
	f.Add(squeeze(mappedSample()), uint64(2), uint64(8), uint64(1), uint64(2))
	f.Add(squeeze(sharedSample()), uint64(2), uint64(8), uint64(9), uint64(0))
	f.Fuzz(func(t *testing.T, pieces []byte, details, mapping, id, gap uint64) {
		m := spread(pieces, details, mapping)
		if m == nil {
			return
		}
		c := &counting{r: bytes.NewReader(m)}
		found, err := ReadRanges(t.Context(), c, 0, spec.ID(id)%spec.MaxID, gap)
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error says nothing")
		}
		var end uint64
		for i, r := range found {
			if r.Begin >= r.End || i > 0 && (r.Begin < end || r.Begin-end <= gap) {
				t.Errorf("%v", found)
			}
			end = r.End
		}
		if limit := 2*len(m)/MetadataBlock + 2 + maxDepth; c.n > limit {
			t.Errorf("%d reads of %d blocks", c.n, len(m)/MetadataBlock)
		}
	})
}
