package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"thinmount/lib/thin"
)

// fakeSystem keeps its state in one JSON file, so that several runs of the
// program in a script see the same pools. To create a volume named full, or to
// delete one named busy, fails. The record of a volume named damaged cannot be
// read. To delete a volume named slow takes until a signal comes.
type fakeSystem struct {
	path      string
	hooks     hooks
	PoolMap   map[string]thin.PoolInfo
	VolumeMap map[string]thin.VolumeInfo
	Repaired  map[string]bool
	// Calls has one line for each call of a method that saves the state.
	Calls []string
}

func openFake(path string, h hooks) (*fakeSystem, error) {
	f := &fakeSystem{
		path: path, hooks: h, PoolMap: map[string]thin.PoolInfo{},
		VolumeMap: map[string]thin.VolumeInfo{}, Repaired: map[string]bool{},
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	return f, json.Unmarshal(raw, f)
}

func (f *fakeSystem) save(format string, args ...any) error {
	f.Calls = append(f.Calls, fmt.Sprintf(format, args...))
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if log := os.Getenv("FAKE_CALLS"); log != "" {
		var all string
		for _, c := range f.Calls {
			all += c + "\n"
		}
		if err := os.WriteFile(log, []byte(all), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(f.path, raw, 0o600)
}

func fakeTime(n int) time.Time { return time.Date(2026, 11, 23, 10, n, 0, 0, time.UTC) }

func (f *fakeSystem) add(volume thin.Volume, v thin.VolumeInfo) error {
	if _, err := f.pool(volume.Pool); err != nil {
		return err
	}
	name := volume.String()
	if _, ok := f.VolumeMap[name]; ok {
		return &thin.Error{
			Object: name,
			Err:    fmt.Errorf("there is one already: %w", thin.ErrExists),
		}
	}
	if volume.Name == "full" {
		return &thin.Error{Object: "pool " + volume.Pool, Err: thin.ErrPoolState}
	}
	v.Volume, v.ID, v.Created =
		volume, thin.ID(len(f.VolumeMap)+1), fakeTime(len(f.VolumeMap))
	f.VolumeMap[name] = v
	return nil
}

func (f *fakeSystem) Create(_ context.Context, s thin.CreateSpec) error {
	f.hooks.warn("a warning of the system")
	used := int64(1536) << 10
	if err := f.add(
		s.Volume, thin.VolumeInfo{Size: s.Size, FS: s.FS, Used: &used},
	); err != nil {
		return err
	}
	return f.save("Create %+v", s)
}

func (f *fakeSystem) Snapshot(
	ctx context.Context, origin thin.Volume, name string, opt thin.SnapshotOptions,
) error {
	o, err := f.Volume(ctx, origin)
	if err != nil {
		return err
	}
	if err := f.add(thin.Volume{Pool: origin.Pool, Name: name}, thin.VolumeInfo{
		Size:     max(opt.Size, o.Size),
		FS:       o.FS,
		Origin:   &origin,
		ReadOnly: opt.ReadOnly,
	}); err != nil {
		return err
	}
	return f.save("Snapshot %s %s %+v", origin, name, opt)
}

func (f *fakeSystem) Ensure(ctx context.Context, s thin.CreateSpec) (bool, error) {
	if _, err := f.Volume(ctx, s.Volume); err == nil {
		return false, f.save("Ensure %+v", s)
	}
	return true, f.Create(ctx, s)
}

func (f *fakeSystem) EnsureSnapshot(
	ctx context.Context, origin thin.Volume, name string, o thin.SnapshotOptions,
) (bool, error) {
	if _, err := f.Volume(ctx, thin.Volume{Pool: origin.Pool, Name: name}); err == nil {
		return false, f.save("EnsureSnapshot %s %s %+v", origin, name, o)
	}
	return true, f.Snapshot(ctx, origin, name, o)
}

func (f *fakeSystem) Resize(ctx context.Context, r thin.ResizeSpec) (int64, error) {
	v, err := f.Volume(ctx, r.Volume)
	if err != nil {
		return 0, err
	}
	if r.More {
		r.Size += v.Size
	}
	if r.Size < v.Size && !r.Force {
		return 0, &thin.Error{Object: r.Volume.String(),
			Err: fmt.Errorf("would become smaller: %w", thin.ErrUsage)}
	}
	v.Size = r.Size
	f.VolumeMap[r.Volume.String()] = v
	return v.Size, f.save("Resize %+v", r)
}

func (f *fakeSystem) Rollback(
	ctx context.Context, volume thin.Volume, from string, o thin.RollbackOptions,
) (kept thin.Volume, err error) {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return kept, err
	}
	origin := thin.Volume{Pool: volume.Pool, Name: from}
	if _, err := f.Volume(ctx, origin); err != nil {
		return kept, err
	}
	kept = thin.Volume{Pool: volume.Pool, Name: cmp.Or(o.Keep, volume.Name+".old")}
	old := v
	if old.Volume = kept; !o.Discard {
		f.VolumeMap[kept.String()] = old
	}
	v.Origin = &origin
	f.VolumeMap[volume.String()] = v
	return kept, f.save("Rollback %s %s %+v", volume, from, o)
}

func (f *fakeSystem) Trim(ctx context.Context, volume thin.Volume) (int64, error) {
	if _, err := f.Volume(ctx, volume); err != nil {
		return 0, err
	}
	if volume.Name == "busy" {
		return 0, thin.ErrBusy
	}
	return 12 << 20, f.save("Trim %s", volume)
}

func (f *fakeSystem) Rename(ctx context.Context, volume thin.Volume, name string) error {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return err
	}
	renamed := thin.Volume{Pool: volume.Pool, Name: name}
	if _, taken := f.VolumeMap[renamed.String()]; taken {
		return &thin.Error{Object: renamed.String(), Err: thin.ErrExists}
	}
	delete(f.VolumeMap, volume.String())
	v.Volume = renamed
	f.VolumeMap[renamed.String()] = v
	return f.save("Rename %s %s", volume, name)
}

func (f *fakeSystem) Delete(ctx context.Context, volume thin.Volume, o thin.DeleteOptions) error {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return err
	}
	switch volume.Name {
	case "busy":
		return &thin.Error{
			Object: v.Volume.String(),
			Err:    fmt.Errorf("mounted on /mnt: %w", thin.ErrBusy),
			Remedy: thin.Hint("umount /mnt first"),
		}
	case "slow":
		if err := os.WriteFile(os.Getenv("FAKE_SLOW"), nil, 0o600); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	delete(f.VolumeMap, v.Volume.String())
	discard := "default"
	if o.Discard != nil {
		discard = fmt.Sprint(*o.Discard)
	}
	return f.save("Delete %s discard=%s", v.Volume, discard)
}

func (f *fakeSystem) DeleteAll(
	ctx context.Context, all []thin.Volume, o thin.DeleteOptions, done func(thin.Volume, error),
) error {
	for _, v := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		done(v, f.Delete(ctx, v, o))
	}
	return nil
}

func (f *fakeSystem) SetProperties(
	ctx context.Context, volume thin.Volume, set thin.Properties,
) error {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return err
	}
	if v.Properties == nil {
		v.Properties = thin.Properties{}
	}
	maps.Copy(v.Properties, set)
	f.VolumeMap[v.Volume.String()] = v
	return f.save("SetProperties %s %q", volume, set)
}

func (f *fakeSystem) UnsetProperties(
	ctx context.Context, volume thin.Volume, keys []string,
) error {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return err
	}
	for _, key := range keys {
		delete(v.Properties, key)
	}
	f.VolumeMap[v.Volume.String()] = v
	return f.save("UnsetProperties %s %q", volume, keys)
}

func (f *fakeSystem) Format(
	ctx context.Context, volume thin.Volume, fs, label string, force bool,
) error {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return err
	}
	v.FS = fs
	f.VolumeMap[v.Volume.String()] = v
	return f.save("Format %s %s %q %v", v.Volume, fs, label, force)
}

func (f *fakeSystem) Volumes(_ context.Context, pool string) ([]thin.VolumeInfo, error) {
	if pool != "" {
		if _, err := f.pool(pool); err != nil {
			return nil, err
		}
	}
	return slices.Collect(func(yield func(thin.VolumeInfo) bool) {
		for _, v := range f.VolumeMap {
			if (pool == "" || v.Volume.Pool == pool) && v.Volume.Name != "damaged" && !yield(v) {
				return
			}
		}
	}), f.unreadable(pool)
}

func (f *fakeSystem) Volume(_ context.Context, volume thin.Volume) (thin.VolumeInfo, error) {
	if _, err := f.pool(volume.Pool); err != nil {
		return thin.VolumeInfo{}, err
	}
	v, ok := f.VolumeMap[volume.String()]
	if !ok {
		return v, &thin.Error{
			Object: volume.String(),
			Err:    fmt.Errorf("no such volume: %w", thin.ErrNotFound),
		}
	}
	return v, nil
}

func (f *fakeSystem) Origin(ctx context.Context, volume thin.Volume) (*thin.Volume, error) {
	v, err := f.Volume(ctx, volume)
	return v.Origin, err
}

func (f *fakeSystem) Activate(ctx context.Context, volume thin.Volume) (string, error) {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return "", err
	}
	v.Active, v.Device = true, "/dev/mapper/thin-"+volume.Pool+"@"+volume.Name
	if volume.Name == "mounted" {
		v.MountedOn, v.References = "/mnt/a\tb", 2
	}
	f.VolumeMap[v.Volume.String()] = v
	return v.Device, f.save("Activate %s", v.Volume)
}

func (f *fakeSystem) Deactivate(ctx context.Context, volume thin.Volume) error {
	v, err := f.Volume(ctx, volume)
	if err != nil {
		return err
	}
	v.Active, v.Device = false, ""
	f.VolumeMap[v.Volume.String()] = v
	return f.save("Deactivate %s", v.Volume)
}
