package volumes

import (
	"errors"
	"math"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// checkCreate and copyOf refuse a size that no device can have, before anything
// is sent to the pool. Rounding up to whole blocks does not overflow.
func TestVolumeSizeLimits(t *testing.T) {
	p, k := testPool(t, catalog.KindFile)
	o := thintest.AddVolume(t, p.Catalog, k, "x", 1)
	for size, ok := range map[int64]bool{
		1: true, thinpool.MaxSize: true, thinpool.MaxSize + 1: false, math.MaxInt64: false,
	} {
		err := checkCreate(CreateSpec{Volume: thintest.Named("demo/v"), Size: size})
		if (err == nil) != ok ||
			!ok && (!errors.Is(err, fault.ErrUsage) ||
				!strings.Contains(err.Error(), "at most 4E")) {
			t.Errorf("create of %d: %v", size, err)
		}
		v, err := copyOf(p, o, "y", SnapshotOptions{Size: max(size, o.Size)})
		if (err == nil) != ok || ok && v.Size < size || !ok && !errors.Is(err, fault.ErrUsage) {
			t.Errorf("snapshot of %d: %d, %v", size, v.Size, err)
		}
		if n := roundUp(p.Catalog.Pool(), min(size, thinpool.MaxSize)); n <= 0 {
			t.Errorf("%d is rounded up to %d", size, n)
		}
	}
}
