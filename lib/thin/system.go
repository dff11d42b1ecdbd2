package thin

import (
	"context"

	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/inspect"
	"thinmount/lib/mounting"
	"thinmount/lib/pools"
	"thinmount/lib/running"
	"thinmount/lib/volumes"
)

// System describes the machine whose pools and volumes the use cases work on:
// where state lives, how long a use case may wait, and which functions receive
// warnings and progress. Its zero value cannot be used: begin with Default. All
// methods may be called concurrently.
type System struct{ host.System }

// Default returns the System of this machine: /var/lib/thin, /run/thin,
// /run/mount, /etc/fstab, and a deadline of 60 seconds.
func Default() *System { return &System{System: *host.Default()} }

// Mount mounts a volume. If the volume is mounted on the same path already,
// Mount adds a reference. If it is mounted on another path, the error is
// ErrBusy. If Mount fails, it undoes what it has mounted, activated and
// counted; only a pool that it has activated stays active.
func (s *System) Mount(ctx context.Context, r MountRequest) error {
	return mounting.Mount(ctx, &s.System, r)
}

// Unmount removes a reference of the mount on a path. With the last reference
// it unmounts the volume and removes its device.
func (s *System) Unmount(ctx context.Context, r UnmountRequest) error {
	return mounting.Unmount(ctx, &s.System, r)
}

// Create makes a volume, with a filesystem if the spec names one. If Create
// fails, there is no volume.
func (s *System) Create(ctx context.Context, spec CreateSpec) error {
	return volumes.Create(ctx, &s.System, spec)
}

// Ensure is Create, unless the volume exists and is what the spec says: then
// Ensure changes nothing and made is false.
func (s *System) Ensure(ctx context.Context, spec CreateSpec) (made bool, err error) {
	return volumes.Ensure(ctx, &s.System, spec)
}

// EnsureSnapshot is Snapshot, unless the volume exists and is a snapshot of
// origin: then EnsureSnapshot changes nothing and made is false.
func (s *System) EnsureSnapshot(
	ctx context.Context, origin Volume, name string, o SnapshotOptions,
) (made bool, err error) {
	return volumes.EnsureSnapshot(ctx, &s.System, origin, name, o)
}

// Snapshot makes a snapshot of origin, called name in the same pool. If origin
// is mounted, Snapshot freezes it while the kernel makes the snapshot.
func (s *System) Snapshot(
	ctx context.Context, origin Volume, name string, o SnapshotOptions,
) error {
	return volumes.Snapshot(ctx, &s.System, origin, name, o)
}

// Rename gives a volume another name in its pool. If the volume is mounted or
// its device is in use, the error is ErrBusy.
func (s *System) Rename(ctx context.Context, volume Volume, name string) error {
	return volumes.Rename(ctx, &s.System, volume, name)
}

// Resize changes the size of a volume and of its filesystem, mounted or not,
// and returns the new size in bytes.
func (s *System) Resize(ctx context.Context, spec ResizeSpec) (size int64, err error) {
	return volumes.Resize(ctx, &s.System, spec)
}

// Trim gives the blocks that the filesystem on a volume does not use back to
// the pool, and returns how many bytes that were.
func (s *System) Trim(ctx context.Context, volume Volume) (freed int64, err error) {
	return volumes.Trim(ctx, &s.System, volume)
}

// Rollback gives a volume the content of another one of its pool, and returns
// the name under which the old content is kept, if it is. If the volume is
// mounted or its device is in use, the error is ErrBusy.
func (s *System) Rollback(
	ctx context.Context, volume Volume, from string, o RollbackOptions,
) (kept Volume, err error) {
	return volumes.Rollback(ctx, &s.System, volume, from, o)
}

// Delete removes a volume. If the volume is mounted, or a process has its
// device open, the error is ErrBusy.
func (s *System) Delete(ctx context.Context, volume Volume, o DeleteOptions) error {
	return volumes.Delete(ctx, &s.System, volume, o)
}

// DeleteAll removes several volumes as Delete does, those that take time beside
// each other. It calls done for each volume when it has been removed, or could
// not be. The calls do not overlap. If ctx ends, DeleteAll begins no further
// volume, does not call done for those, and returns why ctx ended.
func (s *System) DeleteAll(
	ctx context.Context, list []Volume, o DeleteOptions, done func(Volume, error),
) error {
	return volumes.DeleteAll(ctx, &s.System, list, o, done)
}

// Format makes a filesystem on a volume. If the volume has a filesystem and
// force is not set, the error is ErrExists.
func (s *System) Format(ctx context.Context, volume Volume, fs, label string, force bool) error {
	return volumes.Format(ctx, &s.System, volume, fs, label, force)
}

// SetProperties sets properties of a volume. It sets all of them or none.
func (s *System) SetProperties(ctx context.Context, volume Volume, set Properties) error {
	return volumes.SetProperties(ctx, &s.System, volume, set)
}

// UnsetProperties removes properties of a volume, if it has them.
func (s *System) UnsetProperties(ctx context.Context, volume Volume, keys []string) error {
	return volumes.UnsetProperties(ctx, &s.System, volume, keys)
}

// Activate makes a volume's device, which stays until Deactivate, and returns
// the path of the device node.
func (s *System) Activate(ctx context.Context, volume Volume) (device string, err error) {
	return engine.Activate(ctx, &s.System, volume)
}

// Deactivate removes the device of a volume that is not mounted.
func (s *System) Deactivate(ctx context.Context, volume Volume) error {
	return volumes.Deactivate(ctx, &s.System, volume)
}

// Run runs a program in a volume, or in a snapshot that it makes, and returns
// how the program has ended. Signals do not end Run while the program runs: the
// program gets them. The caller's goroutine is locked to its thread
// (runtime.LockOSThread).
func (s *System) Run(ctx context.Context, r RunRequest) (RunResult, error) {
	return running.Run(ctx, &s.System, r)
}

// Volumes lists the volumes of a pool, or of all pools if pool is "".
func (s *System) Volumes(ctx context.Context, pool string) ([]VolumeInfo, error) {
	return volumes.Volumes(ctx, &s.System, pool)
}

// Volume returns what is known about one volume.
func (s *System) Volume(ctx context.Context, volume Volume) (VolumeInfo, error) {
	return volumes.Volume(ctx, &s.System, volume)
}

// Origin returns what a volume is a snapshot of, or nil if it is none, or its
// origin was deleted. It does not call the kernel.
func (s *System) Origin(ctx context.Context, volume Volume) (*Volume, error) {
	return volumes.Origin(ctx, &s.System, volume)
}

// CreatePool makes a pool and activates it. If CreatePool fails, there is no
// pool, and its disks are unchanged.
func (s *System) CreatePool(ctx context.Context, spec PoolSpec) error {
	return pools.CreatePool(ctx, &s.System, spec)
}

// Pools lists all pools.
func (s *System) Pools(ctx context.Context) ([]PoolInfo, error) {
	return pools.Pools(ctx, &s.System)
}

// PoolNames lists the names of all pools without calling the kernel.
func (s *System) PoolNames(ctx context.Context) ([]string, error) {
	return pools.PoolNames(ctx, &s.System)
}

// Pool returns what is known about one pool.
func (s *System) Pool(ctx context.Context, name string) (PoolInfo, error) {
	return pools.Pool(ctx, &s.System, name)
}

// ActivatePool makes the pool's devices. It finishes or undoes what killed
// commands left in the pool.
func (s *System) ActivatePool(ctx context.Context, name string) error {
	return pools.ActivatePool(ctx, &s.System, name)
}

// DeactivatePool removes the pool's devices. If a volume of the pool is in use,
// the error is ErrBusy.
func (s *System) DeactivatePool(ctx context.Context, name string, o DeactivateOptions) error {
	return pools.DeactivatePool(ctx, &s.System, name, o)
}

// DeletePool removes a pool. If the pool has volumes, DeletePool removes them
// if withVolumes is set, and otherwise returns an error.
func (s *System) DeletePool(ctx context.Context, name string, withVolumes bool) error {
	return pools.DeletePool(ctx, &s.System, name, withVolumes)
}

// GrowPool makes a pool larger. Its volumes stay in use.
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

// Tidy finishes the deletion of pools, and undoes the creation of pools, whose
// command was killed.
func (s *System) Tidy(ctx context.Context) error {
	return engine.ClearHalfMadePools(ctx, &s.System)
}

// CheckPool compares a pool's records with its metadata, the kernel and the
// disks, and returns the differences. It changes nothing.
func (s *System) CheckPool(ctx context.Context, name string) ([]Finding, error) {
	return inspect.CheckPool(ctx, &s.System, name)
}

// RepairPool repairs those findings of agreed that a new check still finds. It
// returns agreed, with the repaired findings marked, and what a check after the
// repair finds besides.
func (s *System) RepairPool(ctx context.Context, name string, agreed []Finding) ([]Finding, error) {
	return inspect.RepairPool(ctx, &s.System, name, agreed)
}

// CheckStrays finds what was left behind and belongs to no pool.
func (s *System) CheckStrays(ctx context.Context) ([]Finding, error) {
	return inspect.CheckStrays(ctx, &s.System)
}

// RepairStrays removes those strays of agreed that a new check still finds. It
// returns findings as RepairPool does.
func (s *System) RepairStrays(ctx context.Context, agreed []Finding) ([]Finding, error) {
	return inspect.RepairStrays(ctx, &s.System, agreed)
}
