package thin

import (
	"errors"
	"math"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/thinpool"
)

// TestVolumeSizeLimits refuses what no device can have before anything is sent
// to the pool. Rounding up to whole blocks does not overflow.
func TestVolumeSizeLimits(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindFile)
	o := withVolume(t, p, k, "x", 1)
	for size, ok := range map[int64]bool{1: true, thinpool.MaxSize: true, thinpool.MaxSize + 1: false, math.MaxInt64: false} {
		err := p.sys.checkCreate(CreateSpec{Pool: "demo", Volume: "v", Size: size})
		if (err == nil) != ok || !ok && (!errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "at most 4E")) {
			t.Errorf("create of %d: %v", size, err)
		}
		v, err := p.copyOf(o, "y", max(size, o.Size))
		if (err == nil) != ok || ok && v.Size < size || !ok && !errors.Is(err, ErrUsage) {
			t.Errorf("snapshot of %d: %d, %v", size, v.Size, err)
		}
		if n := p.roundUp(min(size, thinpool.MaxSize)); n <= 0 {
			t.Errorf("%d is rounded up to %d", size, n)
		}
	}
}

// TestOldMetadataIsNotGrownForEver wants that a pool with more metadata than the
// kernel uses, as older versions made it, counts as full-grown.
func TestOldMetadataIsNotGrownForEver(t *testing.T) {
	for have, want := range map[int64]int64{64 << 20: 64 << 20, thinpool.MaxMetadata: thinpool.MaxMetadata, 20 << 30: thinpool.MaxMetadata} {
		if got := usableMetadata(catalog.Pool{Metadata: catalog.Backing{Size: have}}); got != want {
			t.Errorf("%d: %d, want %d", have, got, want)
		}
	}
}
