package thinpool

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"thinmount/lib/spec"
)

func TestReadFirst(t *testing.T) {
	for below, want := range map[uint64]map[spec.ID][]Mapping{
		1: {},
		2: {1: {{0, 1}}, 2: {{0, 1}}},
		4: {1: {{0, 1}, {99, 2}}, 2: {{0, 1}, {200, 3}}},
		9: {1: {{0, 1}, {99, 2}}, 2: {{0, 1}, {200, 3}, {204, 4}}},
	} {
		got, err := ReadFirst(t.Context(), bytes.NewReader(mappedSample()), 0, below)
		if err != nil || !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("below %d: %v, %v; want %v", below, got, err, want)
		}
	}
}

// What several devices share is read once, and told for each.
func TestReadFirstOfSharedNodes(t *testing.T) {
	c := &counting{r: bytes.NewReader(sharedSample())}
	got, err := ReadFirst(t.Context(), c, 0, 2)
	want := map[spec.ID][]Mapping{1: {{0, 1}}, 2: {{0, 1}}, 9: {{0, 1}}}
	if err != nil || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	// The superblock twice, and 8 to 14.
	if c.n != 2+7 {
		t.Errorf("%d reads", c.n)
	}
}

// A tree in which each node leads to the next 252 times ends, too.
func TestReadFirstOfHostileTree(t *testing.T) {
	m := append(mappedSample(), newImage(9)...).mapping(10, false, []uint64{0}, child(17))
	keys, next := make([]uint64, 252), make([]uint64, 252)
	for n := 17; n < 24; n++ {
		for i := range keys {
			keys[i], next[i] = uint64(i), uint64(n+1)
		}
		m.mapping(n, false, keys, child(next...))
	}
	m.superblock(2).mappings(8).mapping(24, true, []uint64{0}, child(1<<24))
	if got, err := ReadFirst(t.Context(), bytes.NewReader(m), 0, 16); err == nil {
		t.Errorf("found %v", got)
	}
}

func TestReadFirstIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadFirst(ctx, bytes.NewReader(mappedSample()), 0, 16); !errors.Is(err,
		context.Canceled) {
		t.Errorf("got %v", err)
	}
}
