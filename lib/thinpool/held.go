package thinpool

import "golang.org/x/sys/unix"

// ReleaseSnapshot gives up the pool's metadata snapshot (Status.HeldRoot),
// whichever program has taken it. A pool has one at most. While there is one,
// the blocks of metadata that it shows are not used again. Without one the
// error is unix.EINVAL. Programs take one to read the metadata of an active
// pool (thin_dump -m), and a killed one leaves it. The change is committed when
// Confirm says so.
func (p *Pool) ReleaseSnapshot() error {
	return p.send(map[unix.Errno]error{}, "release_metadata_snap")
}
