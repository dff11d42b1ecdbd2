package volumes

import (
	"context"

	"golang.org/x/sys/unix"

	"thinmount/lib/host"
	"thinmount/lib/mount"
)

// withMount mounts the filesystem on a device, for do alone: no other process
// sees the mount, and it ends with this process. It lies over the folder of our
// locks, which exists, and which do does not need.
func withMount(
	ctx context.Context, s *host.System, device, fstype string, do func(dir string) error,
) error {
	no := false
	o := mount.Options{Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, Discard: &no}
	r := mount.Request{Source: device, Target: s.RunDir, FSType: fstype, Options: o}
	return mount.Private(ctx, r, func() error { return do(s.RunDir) })
}
