package backing

import (
	"slices"
	"strings"

	"thinmount/lib/fault"
)

// HasVolumes returns the error (fault.ErrBusy) for a pool that is not deleted
// because it has volumes. volumes are their names without the pool's name. The
// error lists the first three.
func HasVolumes(pool string, volumes []string) error {
	volumes = slices.Sorted(slices.Values(volumes))
	list := strings.Join(volumes[:min(len(volumes), 3)], ", ")
	if len(volumes) > 3 {
		list += ", ..."
	}
	return &fault.Error{Object: "pool " + pool,
		Err: fault.Errorf(fault.ErrBusy, "has %s: %s",
			fault.Count(len(volumes), "volume"), list),
		Remedy: fault.Sayf("%v deletes them too", fault.DeletePool{Pool: pool, Volumes: true})}
}
