package volumes

import (
	"context"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
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

// canMount looks whether withMount can mount what is on a volume: a filesystem
// that is mounted is the same one there, and must not be read-only.
func canMount(
	s *host.System, rec refcount.Record, v catalog.Volume, a *engine.Activation,
	found fsprobe.Result,
) error {
	if rec.References == 0 {
		return conflict(s, v, a, found)
	}
	if rec.Elsewhere {
		return nil
	}
	table, err := mount.Table()
	if err != nil {
		return err
	}
	if at := table.ByID(rec.MountID); at != nil && mount.ReadOnly(at) {
		return &fault.Error{Object: v.Spec().String(),
			Err:    fault.Errorf(fault.ErrBusy, "mounted read-only on %s", rec.MountedOn),
			Remedy: fault.Hint("mount -o remount,rw " + fault.ShellPath(rec.MountedOn))}
	}
	return nil
}
