package volumes

import (
	"errors"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
)

// An error about a volume that is another names all that differs.
func TestDifferences(t *testing.T) {
	var d differences
	v := catalog.Volume{Name: "x", Pool: "demo"}
	if err := d.err(v); err != nil {
		t.Error(err)
	}
	d.add("size", "1G", "2G")
	d.add("filesystem", "", "xfs")
	err := d.err(v)
	const want = "demo/x: exists, but its size is 1G and not 2G, its filesystem is not xfs"
	if !errors.Is(err, fault.ErrExists) || err.Error() != want {
		t.Error(err)
	}
}
