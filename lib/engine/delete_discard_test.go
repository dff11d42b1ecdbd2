package engine

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// Without its pool a volume cannot be activated, and ActivateVolume does not
// wait for one.
func TestActivateWithoutPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindFile)
		v := withVolume(t, p, k, "x", 1)
		k.Gone = true
		begun := time.Now()
		_, err := p.ActivateVolume(t.Context(), v, false)
		if !errors.Is(err, fault.ErrPoolState) || err.Error() != "demo/x: pool demo: not active" ||
			host.RemedyOf(err) != (fault.ActivatePool{Pool: "demo"}) {
			t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
		}
		if waited := time.Since(begun); waited > 0 {
			t.Errorf("waited for %v", waited)
		}
	})
}

// If the device goes away each time it is made, Discard fails at the deadline.
func TestDiscardWaitsForNoDeviceWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindFile)
		v := withVolume(t, p, k, "x", 1)
		begun := time.Now()
		if err := p.Discard(t.Context(), v); !errors.Is(err, fault.ErrBusy) || k.Makes == 0 {
			t.Errorf("%v after %d attempts", err, k.Makes)
		}
		if waited := time.Since(begun); waited > p.Sys.Deadline+time.Second {
			t.Errorf("waited for %v", waited)
		}
	})
}

// The pieces lie within the volume, whatever ranges the metadata has.
func TestClipped(t *testing.T) {
	const block, size = 64 << 10, 10<<16 + 512
	for _, row := range []struct {
		ranges []thinpool.Range
		want   []piece
	}{
		{nil, nil},
		{[]thinpool.Range{{Begin: 0, End: 1}, {Begin: 3, End: 5}},
			[]piece{{0, block}, {3 * block, 2 * block}}},
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
