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

// fakeSystem is a system in one JSON file, so that several runs of the program in a script see the same pools.
// Volumes named busy, full and slow fail, or take until a signal comes.
type fakeSystem struct {
	path      string
	hooks     hooks
	PoolMap   map[string]thin.PoolInfo
	VolumeMap map[string]thin.VolumeInfo
	// Calls is what was asked of it, one line each.
	Calls []string
}

func openFake(path string, h hooks) (*fakeSystem, error) {
	f := &fakeSystem{path: path, hooks: h, PoolMap: map[string]thin.PoolInfo{}, VolumeMap: map[string]thin.VolumeInfo{}}
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

func (f *fakeSystem) pool(name string) (thin.PoolInfo, error) {
	p, ok := f.PoolMap[name]
	if !ok {
		return p, &thin.Error{Object: name, Err: fmt.Errorf("no such pool: %w", thin.ErrNotFound), Hint: "thin-snap pool list shows the pools"}
	}
	return p, nil
}

func (f *fakeSystem) CreatePool(_ context.Context, s thin.PoolSpec) error {
	if _, err := f.pool(s.Name); err == nil {
		return &thin.Error{Object: s.Name, Err: fmt.Errorf("there is one already: %w", thin.ErrExists)}
	}
	f.PoolMap[s.Name] = thin.PoolInfo{
		Name: s.Name, UUID: fmt.Sprintf("%032d", len(f.PoolMap)+1), State: "rw", DataSize: cmp.Or(s.Size, 10<<30), DataUsed: 1 << 20,
		MetadataSize: cmp.Or(s.MetadataSize, 64<<20), MetadataUsed: 40960, BlockSize: cmp.Or(s.BlockSize, 65536),
		Data: cmp.Or(s.DataDevice, "/var/lib/thin/"+s.Name+"/data"), Metadata: cmp.Or(s.MetadataDevice, "/var/lib/thin/"+s.Name+"/metadata"),
		OnFull: s.OnFull, Created: fakeTime(len(f.PoolMap)),
	}
	return f.save("CreatePool %+v", s)
}

func (f *fakeSystem) Pools(context.Context) ([]thin.PoolInfo, error) {
	var out []thin.PoolInfo
	for name := range f.PoolMap {
		p, _ := f.Pool(context.Background(), name)
		out = append(out, p)
	}
	return out, nil
}

func (f *fakeSystem) Pool(ctx context.Context, name string) (thin.PoolInfo, error) {
	p, err := f.pool(name)
	if err == nil {
		volumes, _ := f.Volumes(ctx, name)
		p.Volumes = len(volumes)
	}
	return p, err
}

func (f *fakeSystem) ActivatePool(_ context.Context, name string) error {
	p, err := f.pool(name)
	if err != nil {
		return err
	}
	p.State, p.DataUsed, p.MetadataUsed = "rw", 1<<20, 40960
	f.PoolMap[name] = p
	return f.save("ActivatePool %s", name)
}

func (f *fakeSystem) DeactivatePool(ctx context.Context, name string) error {
	p, err := f.pool(name)
	if err != nil {
		return err
	}
	volumes, _ := f.Volumes(ctx, name)
	for _, v := range volumes {
		if v.Active {
			return &thin.Error{Object: name, Err: fmt.Errorf("%s is active: %w", v.Name, thin.ErrBusy), Hint: "thin-snap deactivate " + v.Name}
		}
	}
	p.State, p.DataUsed, p.MetadataUsed = "inactive", -1, -1
	f.PoolMap[name] = p
	return f.save("DeactivatePool %s", name)
}

func (f *fakeSystem) DeletePool(ctx context.Context, name string, withVolumes bool) error {
	volumes, err := f.Volumes(ctx, name)
	if err != nil {
		return err
	}
	if len(volumes) > 0 && !withVolumes {
		return &thin.Error{Object: name, Err: fmt.Errorf("%d volumes are in it: %w", len(volumes), thin.ErrBusy), Hint: "-r deletes them too"}
	}
	delete(f.PoolMap, name)
	maps.DeleteFunc(f.VolumeMap, func(_ string, v thin.VolumeInfo) bool { return v.Pool == name })
	return f.save("DeletePool %s %v", name, withVolumes)
}

func (f *fakeSystem) add(pool, volume string, v thin.VolumeInfo) error {
	if _, err := f.pool(pool); err != nil {
		return err
	}
	name := pool + "/" + volume
	if _, ok := f.VolumeMap[name]; ok {
		return &thin.Error{Object: name, Err: fmt.Errorf("there is one already: %w", thin.ErrExists)}
	}
	if volume == "full" {
		return &thin.Error{Object: pool, Err: thin.ErrPoolState}
	}
	v.Name, v.Pool, v.ID, v.Created = name, pool, uint32(len(f.VolumeMap)+1), fakeTime(len(f.VolumeMap))
	f.VolumeMap[name] = v
	return nil
}

func (f *fakeSystem) Create(_ context.Context, s thin.CreateSpec) error {
	f.hooks.warn("a warning of the system")
	used := int64(1536) << 10
	if err := f.add(s.Pool, s.Volume, thin.VolumeInfo{Size: s.Size, FS: s.FS, Used: &used}); err != nil {
		return err
	}
	return f.save("Create %+v", s)
}

func (f *fakeSystem) Snapshot(ctx context.Context, pool, origin, volume string, size int64) error {
	o, err := f.Volume(ctx, pool, origin)
	if err != nil {
		return err
	}
	from := o.Name
	if err := f.add(pool, volume, thin.VolumeInfo{Size: max(size, o.Size), FS: o.FS, Origin: &from}); err != nil {
		return err
	}
	return f.save("Snapshot %s %s %s %d", pool, origin, volume, size)
}

func (f *fakeSystem) Delete(ctx context.Context, pool, volume string, o thin.DeleteOptions) error {
	v, err := f.Volume(ctx, pool, volume)
	if err != nil {
		return err
	}
	switch volume {
	case "busy":
		return &thin.Error{Object: v.Name, Err: fmt.Errorf("mounted on /mnt: %w", thin.ErrBusy), Hint: "umount /mnt first"}
	case "slow":
		if err := os.WriteFile(os.Getenv("FAKE_SLOW"), nil, 0o600); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	delete(f.VolumeMap, v.Name)
	discard := "default"
	if o.Discard != nil {
		discard = fmt.Sprint(*o.Discard)
	}
	return f.save("Delete %s discard=%s", v.Name, discard)
}

func (f *fakeSystem) Format(ctx context.Context, pool, volume, fs, label string, force bool) error {
	v, err := f.Volume(ctx, pool, volume)
	if err != nil {
		return err
	}
	v.FS = fs
	f.VolumeMap[v.Name] = v
	return f.save("Format %s %s %q %v", v.Name, fs, label, force)
}

func (f *fakeSystem) Volumes(_ context.Context, pool string) ([]thin.VolumeInfo, error) {
	if pool != "" {
		if _, err := f.pool(pool); err != nil {
			return nil, err
		}
	}
	return slices.Collect(func(yield func(thin.VolumeInfo) bool) {
		for _, v := range f.VolumeMap {
			if (pool == "" || v.Pool == pool) && !yield(v) {
				return
			}
		}
	}), nil
}

func (f *fakeSystem) Volume(_ context.Context, pool, volume string) (thin.VolumeInfo, error) {
	if _, err := f.pool(pool); err != nil {
		return thin.VolumeInfo{}, err
	}
	v, ok := f.VolumeMap[pool+"/"+volume]
	if !ok {
		return v, &thin.Error{Object: pool + "/" + volume, Err: fmt.Errorf("no such volume: %w", thin.ErrNotFound)}
	}
	return v, nil
}

func (f *fakeSystem) Activate(ctx context.Context, pool, volume string) (string, error) {
	v, err := f.Volume(ctx, pool, volume)
	if err != nil {
		return "", err
	}
	v.Active, v.Device = true, "/dev/mapper/thin-"+pool+"@"+volume
	if volume == "mounted" {
		v.MountedOn, v.References = "/mnt/a\tb", 2
	}
	f.VolumeMap[v.Name] = v
	return v.Device, f.save("Activate %s", v.Name)
}

func (f *fakeSystem) Deactivate(ctx context.Context, pool, volume string) error {
	v, err := f.Volume(ctx, pool, volume)
	if err != nil {
		return err
	}
	v.Active, v.Device = false, ""
	f.VolumeMap[v.Name] = v
	return f.save("Deactivate %s", v.Name)
}

func (f *fakeSystem) Recover(_ context.Context, pool string) error {
	if _, err := f.pool(pool); err != nil {
		return err
	}
	return f.save("Recover %s", pool)
}
