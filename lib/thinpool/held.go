package thinpool

import "golang.org/x/sys/unix"

// ReleaseSnapshot lets go of the metadata snapshot that somebody has reserved
// (Status.HeldRoot). As long as there is one, the metadata that it shows cannot
// be used again, and nobody else can take one. Without one the error is EINVAL.
func (p *Pool) ReleaseSnapshot() error {
	return p.send(map[unix.Errno]error{}, "release_metadata_snap")
}
