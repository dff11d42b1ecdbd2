package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"thinmount/lib/thin"
)

func (f *fakeSystem) pool(name string) (thin.PoolInfo, error) {
	p, ok := f.PoolMap[name]
	if !ok {
		return p, &thin.Error{
			Object: "pool " + name,
			Err:    fmt.Errorf("no such pool: %w", thin.ErrNotFound),
			Remedy: thin.Hint("thin-snap pool list shows the pools"),
		}
	}
	return p, nil
}

func (f *fakeSystem) CreatePool(_ context.Context, s thin.PoolSpec) error {
	if _, err := f.pool(s.Name); err == nil {
		return &thin.Error{
			Object: "pool " + s.Name,
			Err:    fmt.Errorf("there is one already: %w", thin.ErrExists),
		}
	}
	f.PoolMap[s.Name] = thin.PoolInfo{
		Name: s.Name, UUID: fmt.Sprintf("%032d", len(f.PoolMap)+1), State: "rw",
		DataSize: cmp.Or(s.Size, 10<<30), DataUsed: 1 << 20,
		MetadataSize: cmp.Or(s.MetadataSize, 64<<20), MetadataUsed: 40960,
		BlockSize: cmp.Or(s.BlockSize, 65536),
		Data:      cmp.Or(s.DataDevice, "/var/lib/thin/"+s.Name+"/data"),
		Metadata:  cmp.Or(s.MetadataDevice, "/var/lib/thin/"+s.Name+"/metadata"),
		OnFull:    s.OnFull, Margin: 10, FreezeLimit: 30 * time.Second,
		Created: fakeTime(len(f.PoolMap)),
	}
	if margin := s.Margin; margin != nil {
		s.Margin = nil // the log would have its address
		p := f.PoolMap[s.Name]
		p.Margin = *margin
		f.PoolMap[s.Name] = p
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
		var volumes []thin.VolumeInfo
		volumes, err = f.Volumes(ctx, name)
		p.Volumes = len(volumes)
	}
	if p.Margin == 66 {
		p.Trouble, p.Remedy = "34% of the data is free", thin.Hint("thin-snap pool grow "+name)
	}
	return p, err
}

// unreadable returns the error about the record of a volume named damaged, or
// nil if the pool has none.
func (f *fakeSystem) unreadable(pool string) error {
	if _, ok := f.VolumeMap[pool+"/damaged"]; !ok {
		return nil
	}
	return &thin.Error{
		Object: "pool " + pool,
		Err:    errors.New("/v/damaged.json: truncated"),
		Remedy: thin.Hint("restore /v/damaged.json from a backup"),
	}
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

func (f *fakeSystem) DeactivatePool(
	ctx context.Context, name string, o thin.DeactivateOptions,
) error {
	p, err := f.pool(name)
	if err != nil {
		return err
	}
	volumes, _ := f.Volumes(ctx, name)
	for _, v := range volumes {
		if v.Active && !o.Unmount {
			return &thin.Error{
				Object: "pool " + name,
				Err:    fmt.Errorf("%s is active: %w", v.Volume, thin.ErrBusy),
				Remedy: thin.Hint("thin-snap deactivate " + v.Volume.String()),
			}
		}
	}
	p.State, p.DataUsed, p.MetadataUsed = "inactive", -1, -1
	f.PoolMap[name] = p
	return f.save("DeactivatePool %s %+v", name, o)
}

func (f *fakeSystem) DeletePool(ctx context.Context, name string, withVolumes bool) error {
	volumes, err := f.Volumes(ctx, name)
	if err != nil && !withVolumes {
		return err
	}
	if len(volumes) > 0 && !withVolumes {
		var names []string
		for _, v := range volumes {
			names = append(names, v.Volume.Name)
		}
		return thin.HasVolumes(name, names)
	}
	delete(f.PoolMap, name)
	maps.DeleteFunc(f.VolumeMap, func(_ string, v thin.VolumeInfo) bool {
		return v.Volume.Pool == name
	})
	return f.save("DeletePool %s %v", name, withVolumes)
}

// Tidy has nothing to do: no command on a fake system is killed half way.
func (f *fakeSystem) Tidy(context.Context) error { return nil }

func (f *fakeSystem) Recover(_ context.Context, pool string) error {
	if _, err := f.pool(pool); err != nil {
		return err
	}
	return f.save("Recover %s", pool)
}

func (f *fakeSystem) PoolNames(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(f.PoolMap)), nil
}

// CheckPool finds a thin id without a name, until it is repaired. In all pools
// except one named sound it also finds something that cannot be repaired.
func (f *fakeSystem) CheckPool(_ context.Context, name string) ([]thin.Finding, error) {
	if _, err := f.pool(name); err != nil {
		return nil, err
	}
	var found []thin.Finding
	if !f.Repaired[name] {
		found = append(found, thin.Finding{
			Kind: thin.KindOrphan, Object: name + ": thin id 7", What: "has no name",
			Repair: thin.NameID{
				Volume: thin.Volume{Pool: name, Name: "orphan-7"}, ID: 7, Size: 1 << 30,
			},
		})
	}
	if name != "sound" {
		found = append(found, thin.Finding{
			Kind: thin.KindMode, Object: "pool " + name, What: "its metadata needs a check",
			Remedy: thin.Hint("thin_check"),
		})
	}
	return found, f.save("CheckPool %s", name)
}

func (f *fakeSystem) RepairPool(
	_ context.Context, name string, agreed []thin.Finding,
) ([]thin.Finding, error) {
	for i := range agreed {
		agreed[i].Done = agreed[i].Repair != nil
	}
	f.Repaired[name] = true
	return agreed, f.save("RepairPool %s %d", name, len(agreed))
}

func (f *fakeSystem) CheckStrays(context.Context) ([]thin.Finding, error) {
	if f.Repaired[""] || len(f.PoolMap) < 2 {
		return nil, nil
	}
	return []thin.Finding{{
		Kind: thin.KindFolder, Object: "/var/lib/thin/gone", What: "belongs to no pool",
		Repair: thin.RemoveFolder{Pool: "gone"},
	}}, nil
}

func (f *fakeSystem) RepairStrays(
	ctx context.Context, agreed []thin.Finding,
) ([]thin.Finding, error) {
	return f.RepairPool(ctx, "", agreed)
}

func (f *fakeSystem) GrowPool(_ context.Context, s thin.GrowSpec) error {
	p, err := f.pool(s.Pool)
	if err != nil {
		return err
	}
	p.DataSize = max(p.DataSize, s.Data.Size)
	f.PoolMap[s.Pool] = p
	return f.save("GrowPool %+v", s)
}

// SetPool changes settings. A pool with a margin of 66 is in trouble.
func (f *fakeSystem) SetPool(_ context.Context, name string, set thin.Settings) error {
	p, err := f.pool(name)
	if err != nil {
		return err
	}
	if set.Margin != nil {
		p.Margin = *set.Margin
	}
	if set.OnFull != nil {
		p.OnFull = *set.OnFull
	}
	if set.FreezeLimit != nil {
		p.FreezeLimit = *set.FreezeLimit
	}
	f.PoolMap[name] = p
	return f.save("SetPool %s margin=%d on-full=%s", name, p.Margin, p.OnFull)
}
