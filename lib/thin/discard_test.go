package thin

import (
	"slices"
	"testing"

	"thinmount/lib/thinpool"
)

// What is discarded lies within the volume, whatever the metadata says.
func TestClipped(t *testing.T) {
	const block, size = 64 << 10, 10<<16 + 512
	for _, row := range []struct {
		ranges []thinpool.Range
		want   []piece
	}{
		{nil, nil},
		{[]thinpool.Range{{Begin: 0, End: 1}, {Begin: 3, End: 5}}, []piece{{0, block}, {3 * block, 2 * block}}},
		{[]thinpool.Range{{Begin: 9, End: 11}}, []piece{{9 * block, block + 512}}},
		{[]thinpool.Range{{Begin: 10, End: 1 << 60}}, []piece{{10 * block, 512}}},
		{[]thinpool.Range{{Begin: 11, End: 12}}, nil},
		{[]thinpool.Range{{Begin: 1 << 50, End: 1<<64 - 1}}, nil},
	} {
		if got := clipped(row.ranges, block, size); !slices.Equal(got, row.want) {
			t.Errorf("%v: %v, want %v", row.ranges, got, row.want)
		}
	}
}
