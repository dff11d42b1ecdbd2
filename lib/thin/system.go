package thin

import (
	"context"

	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/inspect"
	"thinmount/lib/mounting"
	"thinmount/lib/pools"
	"thinmount/lib/volumes"
)

// System is the machine whose pools and volumes are meant: where state lives,
// how long a use case may wait, and who is told of what. Its zero value is of no
// use: begin with Default. All methods may be called concurrently.
type System struct{ host.System }

// Default returns the System of this machine: /var/lib/thin, /run/thin,
// /run/mount, /etc/fstab, and a deadline of 60 seconds.
func Default() *System { return &System{System: *host.Default()} }

// Mount mounts a volume, or adds a reference where it is mounted on that very
// path already. On another path it is ErrBusy. When Mount fails nothing is
// mounted, active or counted that was not before, but a pool that had to be
// activated stays active.
func (s *System) Mount(ctx context.Context, r MountRequest) error {
	return mounting.Mount(ctx, &s.System, r)
}

// Unmount drops a reference of the mount on a path. The last one unmounts the
// volume and deactivates its device.
func (s *System) Unmount(ctx context.Context, r UnmountRequest) error {
	return mounting.Unmount(ctx, &s.System, r)
}

// Create makes a volume, with a filesystem if the spec names one. On error there
// is no volume.
func (s *System) Create(ctx context.Context, spec CreateSpec) error {
	return volumes.Create(ctx, &s.System, spec)
}

// Snapshot makes volume a snapshot of origin, in the same pool. A mounted origin
// is frozen for the moment of the snapshot.
func (s *System) Snapshot(ctx context.Context, pool, origin, volume string, o SnapshotOptions) error {
	return volumes.Snapshot(ctx, &s.System, pool, origin, volume, o)
}

// Delete removes a volume. One that is mounted, or that somebody has open, is
// ErrBusy.
func (s *System) Delete(ctx context.Context, pool, volume string, o DeleteOptions) error {
	return volumes.Delete(ctx, &s.System, pool, volume, o)
}

// Format makes a filesystem on a volume. Without force a volume that carries one
// already is ErrExists.
func (s *System) Format(ctx context.Context, pool, volume, fs, label string, force bool) error {
	return volumes.Format(ctx, &s.System, pool, volume, fs, label, force)
}

// Activate makes a volume's device, which stays until Deactivate, and returns
// the path of its node.
func (s *System) Activate(ctx context.Context, pool, volume string) (device string, err error) {
	return engine.Activate(ctx, &s.System, pool, volume)
}

// Deactivate removes the device of a volume that is not mounted.
func (s *System) Deactivate(ctx context.Context, pool, volume string) error {
	return volumes.Deactivate(ctx, &s.System, pool, volume)
}

// Volumes lists the volumes of a pool, or of all pools if pool is "".
func (s *System) Volumes(ctx context.Context, pool string) ([]VolumeInfo, error) {
	return volumes.Volumes(ctx, &s.System, pool)
}

// Volume tells what is known of one volume.
func (s *System) Volume(ctx context.Context, pool, volume string) (VolumeInfo, error) {
	return volumes.Volume(ctx, &s.System, pool, volume)
}

// CreatePool makes a pool, active. On error there is no pool, and its disks are
// as they were.
func (s *System) CreatePool(ctx context.Context, spec PoolSpec) error {
	return pools.CreatePool(ctx, &s.System, spec)
}

// Pools lists all pools.
func (s *System) Pools(ctx context.Context) ([]PoolInfo, error) { return pools.Pools(ctx, &s.System) }

// PoolNames lists the names of all pools, without asking the kernel.
func (s *System) PoolNames(ctx context.Context) ([]string, error) {
	return pools.PoolNames(ctx, &s.System)
}

// Pool tells what is known of one pool.
func (s *System) Pool(ctx context.Context, name string) (PoolInfo, error) {
	return pools.Pool(ctx, &s.System, name)
}

// ActivatePool makes the pool's devices, and finishes what killed commands left.
func (s *System) ActivatePool(ctx context.Context, name string) error {
	return pools.ActivatePool(ctx, &s.System, name)
}

// DeactivatePool removes the pool's devices. A pool with volumes in use is
// ErrBusy.
func (s *System) DeactivatePool(ctx context.Context, name string, o DeactivateOptions) error {
	return pools.DeactivatePool(ctx, &s.System, name, o)
}

// DeletePool removes a pool, and its volumes only if withVolumes is set.
func (s *System) DeletePool(ctx context.Context, name string, withVolumes bool) error {
	return pools.DeletePool(ctx, &s.System, name, withVolumes)
}

// GrowPool makes a pool larger; writers go on meanwhile.
func (s *System) GrowPool(ctx context.Context, spec GrowSpec) error {
	return pools.GrowPool(ctx, &s.System, spec)
}

// SetPool changes a pool's settings.
func (s *System) SetPool(ctx context.Context, name string, set Settings) error {
	return pools.SetPool(ctx, &s.System, name, set)
}

// Recover finishes or undoes what killed commands left in a pool.
func (s *System) Recover(ctx context.Context, pool string) error {
	return engine.Recover(ctx, &s.System, pool)
}

// Tidy finishes the deleting of pools, and undoes the making of those, whose
// command was killed.
func (s *System) Tidy(ctx context.Context) error { return engine.ClearHalfMadePools(ctx, &s.System) }

// CheckPool compares a pool's records with its metadata, the kernel and the
// disks, and returns what does not agree. It changes nothing.
func (s *System) CheckPool(ctx context.Context, name string) ([]Finding, error) {
	return inspect.CheckPool(ctx, &s.System, name)
}

// RepairPool repairs the findings that were agreed to, as far as they are still
// found, and returns them and what is found afterwards.
func (s *System) RepairPool(ctx context.Context, name string, agreed []Finding) ([]Finding, error) {
	return inspect.RepairPool(ctx, &s.System, name, agreed)
}

// CheckStrays finds what is left over and belongs to no pool.
func (s *System) CheckStrays(ctx context.Context) ([]Finding, error) {
	return inspect.CheckStrays(ctx, &s.System)
}

// RepairStrays removes the strays that were agreed to.
func (s *System) RepairStrays(ctx context.Context, agreed []Finding) ([]Finding, error) {
	return inspect.RepairStrays(ctx, &s.System, agreed)
}
