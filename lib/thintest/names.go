package thintest

import (
	"strings"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/spec"
)

const (
	// UUID is that of the pool demo, OtherUUID that of another pool.
	UUID      = "0123456789abcdef0123456789abcdef"
	OtherUUID = "fedcba9876543210fedcba9876543210"
	MiB       = 1 << 20 // bytes
)

// Volume returns a volume of the pool demo with a size of 256 MiB. Its
// transaction id is the number of its thin id.
func Volume(name string, id spec.ID) catalog.Volume {
	return catalog.Volume{Name: name, Pool: "demo", PoolUUID: UUID, ID: id, Size: 256 * MiB,
		TransactionID: uint64(id),
		Created:       time.Unix(1700000000, 0).UTC()}
}

// Named returns the volume that is called POOL/VOLUME.
func Named(s string) spec.Volume {
	pool, name, _ := strings.Cut(s, "/")
	return spec.Volume{Pool: pool, Name: name}
}
